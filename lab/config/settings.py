"""The settings of a lab: what inventories/*/group_vars/all.yml may say."""

import datetime
import difflib
import ipaddress
import re
import reprlib
import urllib.parse
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from lab.console.errors import LabError

_NAMES = (
    "a name has 1 to 20 lower-case letters, digits and dashes, begins with a letter and ends with "
    "no dash"
)
PREFIX = "lab_"
"""What the names of the kit's own variables begin with."""


def _like(pattern: str, otherwise: str) -> AfterValidator:
    """Return what refuses every text but those that are like `pattern` as a whole."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(otherwise)
        return value

    return AfterValidator(check)


class Settings(BaseModel):
    """Settings of one lab; inventories/embedded/group_vars/all.yml explains each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lab_name: Annotated[
        str, _like(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", f"is no name of a lab: {_NAMES}")
    ] = "blackstart"
    lab_provider: str = "container"
    lab_distribution: Literal["auto", "k3s", "kubeadm"] = "auto"
    lab_profile: str = "thesis"
    lab_subnet: str = "auto"
    lab_k3s_version: Annotated[
        str,
        _like(
            r"v\d+\.\d+\.\d+\+k3s\d+|v\d+\.\d+|stable|latest",
            "must be a release such as v1.34.3+k3s1, or a channel: stable, latest, v1.34",
        ),
    ] = "v1.34.3+k3s1"
    lab_kubernetes_version: Annotated[
        str, _like(r"v\d+\.\d+\.\d+", "must be a release such as v1.34.3")
    ] = "v1.34.3"
    lab_k3s_mirror: str = "https://github.com/k3s-io/k3s/releases/download"
    lab_k3s_channels: str = "https://update.k3s.io/v1-release/channels"
    lab_storage: Literal["auto", "longhorn", "gluster", "local-path"] = "auto"
    lab_mysql_source: Literal["auto", "upstream", "packages"] = "auto"
    lab_pdc: Literal["grid", "openpdc"] = "grid"
    lab_pmu: Literal["grid", "ipdc"] = "grid"

    @field_validator("lab_provider")
    @classmethod
    def _known_provider(cls, value: str, info: ValidationInfo) -> str:
        known = (info.context or {}).get("providers")
        if known is not None and value not in known:
            raise ValueError(f"must be one of: {', '.join(known)}")
        return value

    @field_validator("lab_k3s_mirror", "lab_k3s_channels")
    @classmethod
    def _mirror_address(cls, value: str) -> str:
        if not _is_address(value):
            raise ValueError("must be an address such as https://mirror.example/k3s")
        return value

    @field_validator("lab_subnet")
    @classmethod
    def _private_subnet(cls, value: str) -> str:
        if value != "auto" and not _is_private_24(value):
            raise ValueError("must be auto or a private /24 such as 10.87.0.0/24")
        return value


def _is_address(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "file") and bool(parts.netloc or parts.path)


def _is_private_24(text: str) -> bool:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return network.prefixlen == 24 and network.is_private


def parse(
    variables: Mapping[str, Any],
    *,
    origin: str,
    given: Collection[str] = (),
    providers: Collection[str] | None = None,
) -> Settings:
    """Return the settings among `variables`; those of other prefixes are Ansible's own.

    `given` are the keys that don't come from the file `origin`, but from the command.
    `providers` are the values that `lab_provider` may have; None leaves that unchecked.
    Raises LabError that names every wrong key and value of `origin` at once.
    """
    chosen = {key: value for key, value in variables.items() if key.startswith(PREFIX)}
    try:
        return Settings.model_validate(chosen, context={"providers": providers})
    except ValidationError as error:
        problems: list[dict[str, Any]] = [dict(problem) for problem in error.errors()]
        ours = all(problem["loc"][0] in given for problem in problems)
        raise LabError(
            f"{'The command' if ours else origin} has settings that the kit does not take:\n"
            + "\n".join(f"  {_explain(problem)}" for problem in problems),
            "inventories/embedded/group_vars/all.yml lists every setting with its values.",
        ) from None


def checked_name(name: str) -> str:
    """Return `name` where a lab may be called so; raises LabError otherwise."""
    try:
        return Settings(lab_name=name).lab_name
    except ValidationError:
        raise LabError(
            f"{name!r} is no name of a lab.",
            f"{_NAMES.capitalize()}.",
        ) from None


def _explain(problem: Mapping[str, Any]) -> str:
    key = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        return f"{key}: unknown" + (f"; is {near[0]} meant?" if near else "")
    match problem["type"]:
        case "string_type" | "string_unicode":
            message = "must be text, where need be in quotes"
        case "literal_error":
            message = f"must be one of: {problem['ctx']['expected']}"
        case _:
            message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key}: {message} (it is {shown(problem['input'])})"


def shown(value: object) -> str:
    """Return a value as an error shows it: aliases of YAML can make a small file endless."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    brief = reprlib.Repr()
    brief.maxlevel = 2
    brief.maxstring = brief.maxother = 200
    return brief.repr(value)
