"""What an image is made of: `images/<folder>/image.yml`, read and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic

from lab.config import yaml_file
from lab.config.files import IMAGES
from lab.console.errors import LabError


class Debian(pydantic.BaseModel):
    """The packages of a layer."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    suite: str
    """Debian's code name, such as bookworm."""
    install: bool
    """Whether the packages' own scripts run. False unpacks them only: smaller, quicker,
    and for any architecture, but without dpkg, users and alternatives."""
    packages: Annotated[list[str], pydantic.Field(min_length=1)]
    """Packages; what they depend on comes with them, what they recommend does not."""
    then: list[list[str]] = []
    """Commands to run in the layer's own root at the end."""
    drop: list[str] = []
    """Shell patterns of paths (without leading slash) that are left out."""


class ContainerStart(pydantic.BaseModel):
    """How a container of the image starts, as the OCI image configuration has it."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    entrypoint: list[str] = []
    command: list[str] = []
    env: Mapping[str, str] = {}
    user: str = ""
    workdir: str = ""
    stop_signal: str = ""
    ports: list[str] = []
    volumes: list[str] = []


class Recipe(pydantic.BaseModel):
    """One image."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    names: Annotated[list[str], pydantic.Field(min_length=1)]
    """Names with tag. `{digest}` stands for the digest of the image's content,
    `{version}` for that of its first program."""
    title: str
    """What it is, in a few words."""
    debian: Debian | None = None
    """The layer of Debian packages, if any."""
    programs: Mapping[str, str] = {}
    """Path in the image: the artefact that lies there."""
    links: Mapping[str, str] = {}
    """Path in the image: what the link there points to."""
    directories: Mapping[str, str] = {}
    """Path in the image: mode (octal) and owner's number, such as `0750 999`."""
    copies: Mapping[str, str] = {}
    """Path in the image: one of the kit's Python packages, or a file in one."""
    run: ContainerStart = ContainerStart()
    """How a container starts."""
    folder: Annotated[Path, pydantic.Field(exclude=True)]
    """The folder that the recipe was read from; what lies in its `rootfs` is copied to /."""


def load(folder: str) -> Recipe:
    """Read `images/<folder>/image.yml`; raise LabError that names every mistake in it.

    `same_debian_as: other` takes the block `debian` of another image, whose layer is
    then made and stored once.
    """
    path = IMAGES / folder / "image.yml"
    try:
        fields = _mapping(path)
        base = fields.pop("same_debian_as", None)
        if base:
            fields["debian"] = _mapping(IMAGES / base / "image.yml")["debian"]
        return Recipe.model_validate({**fields, "folder": path.parent})
    except FileNotFoundError as error:
        raise LabError(f"{error.filename} is missing.", "Restore it from git.") from None
    except pydantic.ValidationError as error:
        raise LabError(
            f"{path} does not describe an image.",
            "lab/images/recipe.py says what it may hold.",
            evidence=str(error),
        ) from None


def _mapping(path: Path) -> dict[str, Any]:
    fields = yaml_file.load(path)
    if not isinstance(fields, dict):
        raise LabError(f"{path} has no keys at its top.", "Restore it from git.")
    return fields
