"""A Docker engine that answers as the test says, and notes what is done to it."""

import os
from types import SimpleNamespace

from docker.errors import APIError, NotFound

from lab.providers.container import labels

MINE = {labels.LAB: "x", labels.OWNER: "me", labels.UID: str(os.getuid())}
"""Labels of what this user has made for the lab `x`."""
OTHERS = {labels.LAB: "x", labels.OWNER: "alice", labels.UID: str(os.getuid() + 1)}
"""Labels of what alice has made for it."""


def refusal(words, code=409):
    return APIError("refused", SimpleNamespace(status_code=code), explanation=words)


class Thing:
    """What all things of the engine have in common."""

    def __init__(self, name, found, refuses=None):
        self.name = self.id = name
        self.labels = found
        self.refuses = refuses
        self.removed = False

    def remove(self, **_):
        if self.refuses:
            raise self.refuses
        self.removed = True

    def reload(self):
        pass


class Container(Thing):
    def __init__(self, host, status="running", refuses="", found=MINE, address="10.87.0.11"):
        super().__init__(f"x-{host}", found, refusal(refuses) if refuses else None)
        self.status = status
        self.done = []
        self.answer = b"reached\n"
        role = "server" if host.startswith("server") else "worker"
        own = {labels.HOST: host, labels.ROLE: role, labels.DISTRIBUTION: "kubeadm"}
        self.labels = {**found, **own} if found else {}
        endpoint = {"IPAMConfig": {"IPv4Address": address}, "IPAddress": ""}
        self.attrs = {
            "NetworkSettings": {"Networks": {"x": endpoint}},
            "Mounts": [],
            "Config": {"Labels": self.labels},
        }

    def exec_run(self, _words):
        return SimpleNamespace(output=self.answer)

    def __getattr__(self, verb):
        def do(**_):
            if self.refuses:
                raise self.refuses
            self.done.append(verb)

        return do


class Volume(Thing):
    def __init__(self, name, host="", found=MINE, refuses=None):
        super().__init__(name, found, refuses)
        self.attrs = {"Labels": {**found, **({labels.HOST: host} if host else {})} or None}


class Network(Thing):
    def __init__(self, *containers, found=MINE, configs=(), internal=True):
        super().__init__("x", found)
        self.attrs = {
            "Containers": {str(n): {"Name": name} for n, name in enumerate(containers)},
            "Internal": internal,
            "IPAM": {"Config": list(configs)},
            "Labels": found,
        }


class Collection(list):
    """What the client's `containers`, `volumes` and `networks` are."""

    def __init__(self, things=()):
        super().__init__(things)
        self.created = []

    def list(self, filters=None, **_):
        """Return the things that are there; `filters` are by label, or those who use a thing."""
        left = [thing for thing in self if not thing.removed]
        match filters:
            case {"label": label}:
                key, _, value = label.partition("=")
                return [thing for thing in left if thing.labels.get(key) == value]
            case {"volume": _} | {"network": _}:
                return [thing for thing in left if not thing.labels]
        return left

    def get(self, name):
        for thing in self:
            if thing.name.startswith(name):
                return thing
        raise NotFound(name)

    def create(self, first, *_, **options):
        self.created.append((options.get("name", first), options))


def client_of(containers=(), volumes=(), networks=()):
    return SimpleNamespace(
        api=SimpleNamespace(api_version="1.41"),
        containers=Collection(containers),
        volumes=Collection(volumes),
        networks=Collection(networks),
    )
