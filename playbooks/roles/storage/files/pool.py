"""Bring GlusterFS' trusted pool, and the one volume on it, to the servers that there are.

Runs on a server that is in the pool, or on any where there is none yet, with Python's standard
library and `gluster` only:

    pool.py do|look WANTED

WANTED is JSON: `volume`, `brick` (a directory), `own` (this server's address), `servers`
(addresses of all), `fresh` (those that have nothing of the volume), `replicas` (the most that
are wanted), `options` (of the volume, by name) and `limit_s`.

A server that is fresh and yet in the pool has lost its disk: its brick and its name are taken
out, then it joins as a new one. Prints what it changes, a line each, and nothing where all is
as it must be; with `look` what it would change. Ends with 1 and one sentence where that can't be
reached.
"""

import itertools
import json
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

PERIOD_S = 1.0
COMMAND_LIMIT_S = 120
QUORUM = 3
"""Fewer replicas than that can't tell which half of a cut network goes on."""
MEMBER = "3"
"""State of a peer that the pool has taken in."""
PASSING = ("in progress", "not in 'Peer in Cluster' state", "Locking failed", "not connected")
"""What gluster says while its daemons are still making themselves known to each other."""


class RefusedError(Exception):
    """gluster refused a command, with its own words."""


def main() -> int:
    """Return the exit code."""
    verb, wanted = sys.argv[1:]
    pool = Pool(json.loads(wanted), changing=verb == "do")
    try:
        for line in pool.changes():
            print(line, flush=True)
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class Pool:
    """The trusted pool as this server sees it, and what is wanted of it."""

    def __init__(self, wanted: dict[str, Any], *, changing: bool = True) -> None:
        self._wanted = wanted
        self._changing = changing
        self._end = time.monotonic() + wanted["limit_s"]

    def changes(self) -> Iterator[str]:
        """Make pool and volume as they are wanted; yield each change as it is done."""
        servers, fresh = self._wanted["servers"], set(self._wanted["fresh"])
        peers, volume = self.peers(), self.volume()
        lost = [peer for peer in peers if peer not in servers or peer in fresh]
        holders = volume["bricks"] if volume else []
        kept = [holder for holder in holders if holder not in lost]
        if len(kept) < len(holders):
            yield from self._remove_bricks(kept, [h for h in holders if h not in kept])
        for peer in lost:
            yield self._do(f"{peer} leaves the pool", "peer", "detach", peers[peer], "force")
        for server in servers:
            if server != self._wanted["own"] and (server not in peers or server in lost):
                yield self._do(f"{server} joins the pool", "peer", "probe", server)
        if self._changing:
            self._wait_for_peers()
        chosen = bricks(servers, kept, self._wanted["replicas"])
        if not volume:
            yield self._create(chosen)
        elif added := [server for server in chosen if server not in kept]:
            replicas = ["replica", str(len(chosen))]
            yield self._do(
                f"{', '.join(added)}: a replica more",
                *("volume", "add-brick", self._name, *replicas, *self._bricks(added), "force"),
            )
        yield from self._set_options(volume["options"] if volume else {})
        if not volume or not volume["started"]:
            yield self._do("the volume is started", "volume", "start", self._name)
        if self._changing:
            self._wait_for_copies(len(chosen))

    def peers(self, *, ready: bool = False) -> dict[str, str]:
        """Return the other servers of the pool, address to the name that the pool has for it.

        `ready` leaves out those that are not connected, or not taken in yet.
        """
        found = {}
        for peer in self._ask("pool", "list").iter("peer"):
            name = peer.findtext("hostname", "")
            good = peer.findtext("connected") == "1" and peer.findtext("state") == MEMBER
            if name != "localhost" and (good or not ready):
                found[address(name)] = name
        return found

    def volume(self) -> dict[str, Any]:
        """Return the volume's bricks, options and state; nothing where there is none."""
        for volume in self._ask("volume", "info").iter("volume"):
            if volume.findtext("name") == self._name:
                names = [brick.findtext("name", "") for brick in volume.iter("brick")]
                return {
                    "started": volume.findtext("statusStr") == "Started",
                    "bricks": [name.partition(":")[0] for name in names if name],
                    "options": {
                        option.findtext("name", ""): option.findtext("value", "")
                        for option in volume.iter("option")
                    },
                }
        return {}

    @property
    def _name(self) -> str:
        return str(self._wanted["volume"])

    def _bricks(self, servers: list[str]) -> list[str]:
        return [f"{server}:{self._wanted['brick']}" for server in servers]

    def _create(self, chosen: list[str]) -> str:
        replicas = ["replica", str(len(chosen))] if len(chosen) > 1 else []
        return self._do(
            f"the volume is made on {', '.join(chosen)}",
            *("volume", "create", self._name, *replicas, *self._bricks(chosen), "force"),
        )

    def _remove_bricks(self, kept: list[str], gone: list[str]) -> Iterator[str]:
        if not kept:
            raise RefusedError(
                f"No server has the volume's data any more: {', '.join(gone)} had it. "
                "Run `lab down`, then `lab up` for an empty one."
            )
        yield self._do(
            f"{', '.join(gone)} had a replica and has lost it",
            *("volume", "remove-brick", self._name, "replica", str(len(kept))),
            *(*self._bricks(gone), "force"),
        )

    def _set_options(self, there: dict[str, str]) -> Iterator[str]:
        options = self._wanted["options"].items()
        if changed := [(name, value) for name, value in options if there.get(name) != value]:
            said = ", ".join(f"{name} is {value}" for name, value in changed)
            yield self._do(said, "volume", "set", self._name, *itertools.chain(*changed))

    def _wait_for_peers(self) -> None:
        """Wait until all servers are connected and have taken each other in."""
        others = set(self._wanted["servers"]) - {self._wanted["own"]}
        missing = others
        while missing:
            missing = others - self.peers(ready=True).keys()
            self._pause(f"the pool lacks {', '.join(sorted(missing))}", of=missing)

    def _wait_for_copies(self, replicas: int) -> None:
        """Wait until every replica answers and has all that the others have."""
        while replicas > 1:
            bricks = [*self._ask("volume", "heal", self._name, "info").iter("brick")]
            behind = [
                f"{brick.findtext('name')}: {brick.findtext('status')}, "
                f"{brick.findtext('numberOfEntries')} files to heal"
                for brick in bricks
                if brick.findtext("status") != "Connected"
                or brick.findtext("numberOfEntries") != "0"
            ]
            if len(bricks) >= replicas and not behind:
                return
            self._pause(f"the replicas are not equal yet: {'; '.join(behind)}")

    def _pause(self, why: str, *, of: object = True) -> None:
        if of:
            if time.monotonic() > self._end:
                raise RefusedError(f"After {self._wanted['limit_s']} s {why}.")
            time.sleep(PERIOD_S)

    def _do(self, what: str, *words: str) -> str:
        if self._changing:
            self._ask(*words)
        return what

    def _ask(self, *words: str) -> ET.Element:
        """Return gluster's answer, after waiting for its daemons where need be."""
        while True:
            try:
                return gluster(*words)
            except RefusedError as error:
                if not any(passing in str(error) for passing in PASSING):
                    raise
                if time.monotonic() > self._end:
                    raise
            time.sleep(PERIOD_S)


def address(name: str) -> str:
    """Return a peer's address: a server that another one took in is known by its name there."""
    try:
        return socket.gethostbyname(name)
    except OSError:
        return name  # of a server that is gone for good


def bricks(servers: list[str], kept: list[str], most: int) -> list[str]:
    """Return the servers that have a replica: those with one stay, others fill up."""
    number = min(most, len(servers))
    if number < QUORUM:
        number = 1
    return [*kept, *(server for server in servers if server not in kept)][: max(number, len(kept))]


def gluster(*words: str) -> ET.Element:
    """Return the answer to one command."""
    done = subprocess.run(
        ["gluster", "--mode=script", "--xml", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_LIMIT_S,
    )
    try:
        answer = ET.fromstring(done.stdout)  # noqa: S314 - of this machine's own program
    except ET.ParseError:
        said = (done.stdout + done.stderr).strip()
        raise RefusedError(f"gluster {' '.join(words)}: {said or 'no answer'}") from None
    if answer.findtext("opRet") != "0":
        raise RefusedError(f"gluster {' '.join(words)}: {answer.findtext('opErrstr')}")
    return answer


if __name__ == "__main__":
    sys.exit(main())
