"""Wait until a cluster can spare a server, or until a node is back in it with its new release.

Runs on the node itself, with Python's standard library only:

    until_upgraded.py before LIMIT_S ADDRESS...
    until_upgraded.py after LIMIT_S NODE VERSION ADDRESS...

ADDRESS are those of the servers: their API servers must be ready, which includes that etcd
answers what a majority of its members has agreed to. `after` waits besides until the node is
Ready and its kubelet says VERSION, and so does its own API server, where it has one.
After LIMIT_S seconds it prints what is lacking, and ends with 1.
"""

import json
import ssl
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

AUTHORITY = Path("/etc/kubernetes/pki/ca.crt")
OWN = Path("/var/lib/kubelet/pki/kubelet-client-current.pem")
"""The kubelet's certificate and key, which may read its own Node object."""
API_SERVER = Path("/etc/kubernetes/manifests/kube-apiserver.yaml")
"""Only a server has it."""
PERIOD_S = 1.0


def main() -> int:
    """Return the exit code."""
    verb, limit_s, *words = sys.argv[1:]
    node, version, *servers = words if verb == "after" else ["", "", *words]
    begin = time.monotonic()
    while missing := [*not_serving(servers), *not_upgraded(node, version, servers)]:
        if time.monotonic() - begin > float(limit_s):
            print(f"After {limit_s} s:", *missing, sep="\n")
            return 1
        time.sleep(PERIOD_S)
    return 0


def not_serving(servers: list[str]) -> Iterator[str]:
    """Yield which servers are not ready, each with the reason."""
    for server in servers:
        try:
            ask(server, "/readyz")
        except OSError as error:
            yield f"the API server at {server} is not ready: {error}"


def not_upgraded(node: str, version: str, servers: list[str]) -> Iterator[str]:
    """Yield what is not at its new release yet."""
    if not node:
        return
    try:
        if API_SERVER.exists():
            said = json.loads(ask("127.0.0.1", "/version"))["gitVersion"]
            if said != version:
                yield f"the node's own API server is {said}"
        # One that serves; which are not is told anyway.
        status = json.loads(ask(servers[0], f"/api/v1/nodes/{node}"))["status"]
    except OSError as error:
        yield f"no answer from an API server: {error}"
        return
    if status["nodeInfo"]["kubeletVersion"] != version:
        yield f"the kubelet is {status['nodeInfo']['kubeletVersion']}"
    for condition in status["conditions"]:
        if condition["type"] == "Ready" and condition["status"] != "True":
            yield f"the node is not Ready: {condition.get('message', condition['status'])}"


def ask(server: str, path: str) -> bytes:
    """Return what an API server answers to this node's kubelet."""
    context = ssl.create_default_context(cafile=str(AUTHORITY))
    context.load_cert_chain(OWN)
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    opener = urllib.request.build_opener(*handlers)
    with opener.open(f"https://{server}:6443{path}", timeout=5) as answer:
        body: bytes = answer.read()
    return body


if __name__ == "__main__":
    sys.exit(main())
