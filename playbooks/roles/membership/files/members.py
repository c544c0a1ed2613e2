"""Read and mend the cluster's list of members, on a server that is one.

Runs on the node itself, with Python's standard library only:

    members.py list
    members.py take_out LIMIT_S NAME=ADDRESS...
    members.py snapshot

`list` prints in JSON the members that this server's etcd knows, with a majority or without.
`take_out` removes what the cluster knows of these nodes: the etcd member at the address, the
Node object of the name, and the password that k3s keeps for it. etcd itself refuses where its
majority would be in danger. Answers in JSON what was there: {"members": [], "nodes": []}.
`snapshot` prints, in base64, a tar archive of etcd's data and of the keys without which they
are of no use: `etcd.db`, and `pki/` (kubeadm) or `token` (k3s).
"""

import base64
import io
import json
import os
import ssl
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

K3S = Path("/var/lib/rancher/k3s/server")
KUBEADM = Path("/etc/kubernetes/pki")
CLIENTS = (
    (
        "https://127.0.0.1:2382",
        K3S / "tls/etcd/server-ca.crt",
        K3S / "tls/etcd/client.crt",
        K3S / "tls/etcd/client.key",
    ),
    (
        "https://127.0.0.1:2379",
        KUBEADM / "etcd/ca.crt",
        KUBEADM / "etcd/healthcheck-client.crt",
        KUBEADM / "etcd/healthcheck-client.key",
    ),
)
"""Etcd's JSON gateway, with authority, certificate and key of its clients, by distribution: k3s
serves it beside the port of its gRPC clients, kubeadm at the same."""
AUTHORITIES = ("ca", "front-proxy-ca", "etcd/ca")
"""What kubeadm signs with; beside them `sa`, the key of the service accounts' tokens."""
PERIOD_S = 1.0


def main() -> int:
    """Return the exit code."""
    verb, *words = sys.argv[1:]
    if verb == "list":
        print(json.dumps(members(linearizable=False)))
        return 0
    if verb == "snapshot":
        print(base64.b64encode(archive()).decode())
        return 0
    limit, *nodes = words
    deadline = time.monotonic() + float(limit)
    wanted = dict(node.split("=", 1) for node in nodes)
    while True:
        try:
            print(json.dumps({"members": remove_members(wanted), "nodes": remove_nodes(wanted)}))
        except (OSError, subprocess.SubprocessError) as error:
            if time.monotonic() > deadline:
                print(f"{', '.join(wanted)} can't be taken out of the cluster: {why(error)}")
                return 1
            time.sleep(PERIOD_S)
        else:
            return 0


def members(*, linearizable: bool) -> list[dict[str, Any]]:
    """Return etcd's members: as its majority knows them, or as this server does."""
    found: list[dict[str, Any]] = ask("cluster/member/list", linearizable=linearizable)["members"]
    return found


def remove_members(nodes: dict[str, str]) -> list[str]:
    """Remove the etcd members at the addresses of `nodes`, and return whose they were."""
    removed = []
    of_address = {address: name for name, address in nodes.items()}
    for member in members(linearizable=True):
        hosts = [urllib.parse.urlsplit(url).hostname or "" for url in member["peerURLs"]]
        if name := next((of_address[host] for host in hosts if host in of_address), ""):
            ask("cluster/member/remove", ID=member["ID"])
            removed.append(name)
    return removed


def remove_nodes(nodes: dict[str, str]) -> list[str]:
    """Delete the Node objects of `nodes`, and return which there were."""
    known = kubectl("get", "nodes", "--output=name").split()
    found = [name for name in nodes if f"node/{name}" in known]
    if found:
        kubectl("delete", "node", *found, "--ignore-not-found", "--wait=false")
        release(found)
    secrets = [f"{name}.node-password.k3s" for name in nodes]
    kubectl("delete", "secret", "--namespace=kube-system", "--ignore-not-found", *secrets)
    return found


def release(nodes: list[str]) -> None:
    """Let go of Node objects that are to be deleted.

    k3s holds a server's until a controller of its own has removed the etcd member, which is
    done already. That controller may have been on the server that is lost, and the next one
    only comes when its lease is over.
    """
    for name in nodes:
        patch = ("--type=merge", "--patch", json.dumps({"metadata": {"finalizers": None}}))
        try:
            kubectl("patch", "node", name, *patch)
        except subprocess.CalledProcessError as error:
            if "NotFound" not in error.stderr:
                raise


def archive() -> bytes:
    """Return a tar archive of etcd's data and the cluster's keys."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        data = b"".join(snapshot())
        entry = tarfile.TarInfo("etcd.db")
        entry.size, entry.mode = len(data), 0o600
        tar.addfile(entry, io.BytesIO(data))
        for file, name in keys():
            tar.add(file, name)
    return buffer.getvalue()


def keys() -> Iterator[tuple[Path, str]]:
    """Yield the files of keys, each with its name in the archive."""
    if (K3S / "token").exists():
        yield K3S / "token", "token"
        return
    for authority in AUTHORITIES:
        for suffix in ("crt", "key"):
            yield KUBEADM / f"{authority}.{suffix}", f"pki/{authority}.{suffix}"
    for suffix in ("pub", "key"):
        yield KUBEADM / f"sa.{suffix}", f"pki/sa.{suffix}"


def snapshot() -> Iterator[bytes]:
    """Yield etcd's data, piece by piece (etcd's maintenance API, Snapshot)."""
    with call("maintenance/snapshot", {}) as answer:
        for line in answer:
            piece = json.loads(line)
            if "error" in piece:
                raise OSError(piece["error"].get("message", line.decode()))
            yield base64.b64decode(piece["result"].get("blob", ""))


def ask(path: str, **question: Any) -> Any:
    """Return what etcd answers; raises OSError with its words where it refuses."""
    with call(path, question) as answer:
        return json.load(answer)


def call(path: str, question: dict[str, Any]) -> Any:
    """Return the answer of etcd's gateway, to be read; raises OSError where it refuses."""
    etcd, authority, certificate, key = next(client for client in CLIENTS if client[2].exists())
    context = ssl.create_default_context(cafile=str(authority))
    context.load_cert_chain(certificate, key)
    request = urllib.request.Request(f"{etcd}/v3/{path}", json.dumps(question).encode())  # noqa: S310
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers).open(request, timeout=10)


def kubectl(*words: str) -> str:
    """Return what kubectl prints with the administrator's rights."""
    environment = {"KUBECONFIG": "/etc/blackstart/kubeconfig", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["kubectl", *words], env=environment, capture_output=True, text=True, timeout=90, check=True
    )
    return done.stdout


def why(error: Exception) -> str:
    """Return an error with the words of the program that caused it."""
    if isinstance(error, urllib.error.HTTPError):
        return f"etcd: {error.read().decode(errors='replace').strip()}"
    return f"{error} {getattr(error, 'stderr', None) or ''}".strip()


if __name__ == "__main__":
    sys.exit(main())
