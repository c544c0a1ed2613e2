"""Wait until an API server is ready, and become HAProxy then.

Runs on the node itself, with Python's standard library only:

    when_ready.py CONFIGURATION HAPROXY [ARGUMENT...]

While no API server is ready, the port refuses connections, and who asks knows at once. HAProxy
would take a connection and close it, which a kubelet takes for a passing trouble: it asks
again ten times, a second apart, and starts its static pods later, the API server among them.
A reload while it waits is no more than a new look at the configuration.
"""

import os
import re
import signal
import ssl
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

CHECK = re.compile(r"^\s*option httpchk GET (\S+)", re.MULTILINE)
SERVER = re.compile(r"^\s*server \S+ (\S+)", re.MULTILINE)
ASK_LIMIT_S = 1.0
PERIOD_S = 0.2


def checks(configuration: str) -> Iterator[str]:
    """Yield what HAProxy would ask each of its servers."""
    found = CHECK.search(configuration)
    path = found[1] if found else "/"
    for address in SERVER.findall(configuration):
        yield f"https://{address}{path}"


def opener() -> urllib.request.OpenerDirector:
    """Return what asks as HAProxy's own check does: of no proxy, and verifying nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )


def is_ready(url: str, ask: urllib.request.OpenerDirector) -> bool:
    """Tell whether there is an answer, and it is 200."""
    try:
        with ask.open(url, timeout=ASK_LIMIT_S) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, HTTPException):
        return False


def main() -> None:
    """Replace this process by HAProxy as soon as that can lead anywhere."""
    file, *haproxy = sys.argv[1:]
    signal.signal(signal.SIGUSR2, lambda *_: None)
    ask = opener()
    while not any(is_ready(url, ask) for url in checks(Path(file).read_text())):
        time.sleep(PERIOD_S)
    os.execv(haproxy[0], haproxy)  # noqa: S606 - what the unit names


if __name__ == "__main__":
    main()
