"""Whether the registry of the publishers' images can be reached."""

import urllib.error
import urllib.request

from lab.images import upstream

URL = f"{upstream.HUB}/v2/"
LIMIT_S = 5.0
"""How long the registry may take to answer before the lab does without it."""


def answers(url: str = URL) -> bool:
    """Tell whether the image registry answers, with whatever status."""
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_S):  # noqa: S310 - ours
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True  # 401: it wants a token, and is there.
    except OSError:
        return False
