"""Downloads over HTTP that end complete, or not at all."""

import errno
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from lab.artefacts.cache import Notify
from lab.console.errors import LabError

SILENCE_LIMIT_S = 30.0
"""How long a server may say nothing before the connection counts as dead."""
TRIES = 3
"""How often a transfer that was cut off is taken up again."""
_CHUNK = 1 << 20
_OURS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
"""Errors of our file, not of the network."""
_AGENT = {"User-Agent": "blackstart"}
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def absent(url: str, *, limit_s: float) -> str | None:
    """Return None where the server has `url`, else why not, in a few words."""
    try:
        with _open(url, 0, limit_s=limit_s):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"{_host(url)} answers {error.code} {error.reason}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{_host(url)} does not answer ({_why(error)})"


def redirection(url: str, *, limit_s: float) -> str:
    """Return where the server of `url` points to, which is not asked itself.

    Raises LabError where the server does not answer, or points nowhere.
    """
    request = urllib.request.Request(url, headers=_AGENT)  # noqa: S310 - a setting
    try:
        _refuse_socks(request)
        with urllib.request.build_opener(_Unmoved).open(request, timeout=limit_s):
            why = "it points to nothing else"
    except urllib.error.HTTPError as error:
        error.close()
        if target := error.headers.get("Location"):
            return str(target)
        why = f"{error.code} {error.reason}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = _why(error)
    raise LabError(f"{url} does not say what it stands for: {why}.")


def fetch(
    url: str,
    target: Path,
    *,
    notify: Notify,
    limit_s: float = SILENCE_LIMIT_S,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> None:
    """Write what `url` has into `target`, taking up a cut-off transfer where it ended.

    `limit_s` is the longest silence, not the longest transfer. `headers` go to the
    server of `url` alone, and not to another that it points to. Raises LabError where
    the file is absent, the server does not answer, or it cuts off TRIES times.
    """
    target.write_bytes(b"")
    why = ""
    for attempt in range(1, TRIES + 1):
        have = target.stat().st_size
        try:
            with _open(url, have, limit_s=limit_s, headers=headers) as response:
                # 200 to a question for the rest is the whole file again.
                resumed = response.status == http.client.PARTIAL_CONTENT
                if _receive(response, target, have if resumed else 0, notify):
                    return
                why = "the transfer was cut off"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < http.client.INTERNAL_SERVER_ERROR and have == 0:
                raise LabError(
                    f"{url} does not exist there ({error.code} {error.reason}).",
                    "Check the version and the mirror's address in the settings.",
                ) from None
            why = f"{error.code} {error.reason}"
            target.write_bytes(b"")
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _OURS:
                raise
            why = _why(error)
        notify(f"{why}; try {attempt} of {TRIES}")
        time.sleep(min(attempt, limit_s))
    raise LabError(
        f"{url} could not be downloaded in {TRIES} tries: {why}.",
        "Check the network, name another mirror, or put the file into the cache by hand.",
    )


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """Leaves a redirection to the caller, as the error that it is then."""

    def redirect_request(self, *_: Any) -> None:
        """Return nothing to go on with."""


def _open(
    url: str, offset: int, *, limit_s: float, headers: Mapping[str, str] = _NO_HEADERS
) -> http.client.HTTPResponse:
    ours = {**_AGENT, "Range": f"bytes={offset}-"} if offset else _AGENT
    request = urllib.request.Request(url, headers=ours)  # noqa: S310 - a setting
    _refuse_socks(request)
    for name, value in headers.items():
        request.add_unredirected_header(name, value)
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=limit_s)  # noqa: S310
    return response


def _refuse_socks(request: urllib.request.Request) -> None:
    """Raise URLError where a proxy is named that urllib would take for one of HTTP."""
    proxy = urllib.request.getproxies().get(request.type, "")
    if proxy.startswith("socks") and not urllib.request.proxy_bypass(request.host):
        raise urllib.error.URLError(
            f"{request.type}_proxy={proxy} is a SOCKS proxy, and only HTTP proxies are used"
        )


def _receive(response: http.client.HTTPResponse, target: Path, offset: int, notify: Notify) -> bool:
    """Append the answer to the file; return whether it came to its end."""
    length = int(response.headers.get("Content-Length") or 0)
    total = offset + length
    with target.open("ab" if offset else "wb") as file:
        have = _copy(response, file, offset, total, notify)
    # Without a length only the end of the connection tells.
    return have == total if length else True


def _copy(
    response: http.client.HTTPResponse, file: IO[bytes], have: int, total: int, notify: Notify
) -> int:
    said = 0.0
    while chunk := response.read(_CHUNK):
        file.write(chunk)
        have += len(chunk)
        if time.monotonic() - said > 1:
            said = time.monotonic()
            notify(f"{have / 1e6:.0f} of {total / 1e6:.0f} MB")
    return have


def _host(url: str) -> str:
    try:
        return urllib.request.Request(url).host or url  # noqa: S310 - not opened
    except ValueError:
        return url


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return "timed out" if isinstance(reason, TimeoutError) else str(reason) or type(error).__name__
