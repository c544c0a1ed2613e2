"""Secrets taken out of text that is shown to others: by their values, and by their forms."""

import base64
import re
from collections.abc import Iterable

REMOVED = "<removed>"
LEAST_LENGTH = 6
"""Shorter values are words that stand in a text for other reasons too."""
_NAMES = (
    r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|"
    r"certificate[_-]?key|client[_-]?key[_-]?data|credential)[\w.-]*"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL
)
_FORMS = (
    # Who may use it, and the token itself, as k3s writes them: K10<hash>::server:<token>.
    re.compile(r"\bK10[0-9a-f]{16,}::[\w.-]+:[\w.:-]+"),
    # JSON web tokens, such as those of service accounts.
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    # Kubernetes' bootstrap tokens.
    re.compile(r"(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.])"),
    # OpenSSH's and PEM's content, where a line of it stands alone.
    re.compile(r"\bb3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=]*"),
)
_IN_URL = re.compile(r"(?<=://)([^\s/:@\"']*):([^\s/@\"']+)(?=@)")
_HEADER = re.compile(
    r"(\bauthorization[\"']?[ \t]*[:=][ \t]*[\"']?(?:\w+[ \t]+)?)[\w.+/=~-]{6,}", re.IGNORECASE
)
_BEARER = re.compile(r"\b(Bearer[ \t]+)[\w.+/=~-]{16,}", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?P<name>(?<![\w.-]){_NAMES}[\"']?)"
    r"(?P<sign>[ \t]*[:=][ \t]*)"
    r"(?P<value>\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s\"',;{}\[\]&]+)",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"(?P<option>--{_NAMES})(?P<space>[ \t]+)(?P<value>[^\s-][^\s]*)", re.IGNORECASE
)
_HARMLESS = re.compile(r"(true|false|null|none|yes|no|\d{1,4}|/.*|<.*|\$.*)", re.IGNORECASE)
"""Values of such names that are no secrets: switches, counts, paths and places to fill."""


class Redactor:
    """Takes secrets out of text.

    `known` are values that are secrets wherever they stand. They are found as they are and
    in base64, as Kubernetes prints them. Beside them go private keys, tokens, passwords in
    addresses, and what follows a name such as password or token.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        values = {value.strip() for value in known}
        kept = {value for value in values if len(value) >= LEAST_LENGTH}
        kept |= {base64.b64encode(value.encode()).decode() for value in kept}
        # The longest first: one may be the beginning of another.
        listed = sorted(kept, key=lambda value: (-len(value), value))
        self._known = re.compile("|".join(map(re.escape, listed))) if listed else None

    def clean(self, text: str) -> str:
        """Return `text` with REMOVED in place of every secret."""
        text = _PRIVATE_KEY.sub(rf"-----BEGIN \1-----\n{REMOVED}", text)
        if self._known:
            text = self._known.sub(REMOVED, text)
        for form in _FORMS:
            text = form.sub(REMOVED, text)
        text = _IN_URL.sub(rf"\1:{REMOVED}", text)
        text = _HEADER.sub(rf"\1{REMOVED}", text)
        text = _BEARER.sub(rf"\1{REMOVED}", text)
        text = _OPTION.sub(_without_option, text)
        return _NAMED.sub(_without_value, text)


def _without_value(found: "re.Match[str]") -> str:
    value = found["value"]
    bare = value.strip("\"'")
    if not bare or _HARMLESS.fullmatch(bare):
        return found[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found['name']}{found['sign']}{quote}{REMOVED}{quote}"


def _without_option(found: "re.Match[str]") -> str:
    if _HARMLESS.fullmatch(found["value"]):
        return found[0]
    return f"{found['option']}{found['space']}{REMOVED}"
