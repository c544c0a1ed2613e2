"""The settings of a lab: what inventories/*/group_vars/all.yml may say."""

import difflib
import ipaddress
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from lab.console.errors import LabError

PREFIX = "lab_"
"""What the names of the kit's own variables begin with."""


class Settings(BaseModel):
    """Settings of one lab; inventories/embedded/group_vars/all.yml explains each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lab_name: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$")] = "blackstart"
    lab_provider: str = "container"
    lab_distribution: Literal["auto", "k3s", "kubeadm"] = "auto"
    lab_profile: str = "thesis"
    lab_subnet: str = "auto"
    lab_k3s_version: Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+\+k3s\d+$")] = "v1.34.3+k3s1"
    lab_kubernetes_version: Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+$")] = "v1.34.3"
    lab_k3s_mirror: str = "https://github.com/k3s-io/k3s/releases/download"
    lab_mysql_source: Literal["auto", "upstream", "packages"] = "auto"

    @field_validator("lab_provider")
    @classmethod
    def _known_provider(cls, value: str, info: ValidationInfo) -> str:
        known = (info.context or {}).get("providers")
        if known is not None and value not in known:
            raise ValueError(f"must be one of: {', '.join(known)}")
        return value

    @field_validator("lab_subnet")
    @classmethod
    def _private_subnet(cls, value: str) -> str:
        if value == "auto":
            return value
        network = ipaddress.IPv4Network(value)
        if network.prefixlen != 24 or not network.is_private:
            raise ValueError("must be auto or a private /24 such as 10.87.0.0/24")
        return value


def parse(
    variables: Mapping[str, Any], *, origin: str, providers: Collection[str] | None = None
) -> Settings:
    """Return the settings among `variables`; those of other prefixes are Ansible's own.

    `providers` are the values that `lab_provider` may have; None leaves that unchecked.
    Raises LabError that names every wrong key and value of `origin` at once.
    """
    chosen = {key: value for key, value in variables.items() if key.startswith(PREFIX)}
    try:
        return Settings.model_validate(chosen, context={"providers": providers})
    except ValidationError as error:
        raise LabError(
            f"{origin} has settings that the kit does not take:\n"
            + "\n".join(f"  {_explain(dict(problem))}" for problem in error.errors()),
            "inventories/embedded/group_vars/all.yml lists every setting with its values.",
        ) from None


def checked_name(name: str) -> str:
    """Return `name` where a lab may be called so; raises LabError otherwise."""
    try:
        return Settings(lab_name=name).lab_name
    except ValidationError:
        raise LabError(
            f"{name!r} is no name of a lab.",
            "A name has 1 to 20 lower-case letters, digits and dashes; it begins with a letter "
            "and ends with no dash.",
        ) from None


def _explain(problem: Mapping[str, Any]) -> str:
    key = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        return f"{key}: unknown" + (f"; is {near[0]} meant?" if near else "")
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key}: {message} (it is {problem['input']!r})"
