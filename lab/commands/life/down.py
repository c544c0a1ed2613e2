"""`lab down`: nothing of the lab is left, whatever state it was in."""

from typing import Annotated

import typer

from lab.commands import options
from lab.config import settings
from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal
from lab.host.private_directory import sweep
from lab.nodes.state import StateDirectory
from lab.providers import registry
from lab.providers.provider import ForeignLabError

app = options.verb_app()


@app.command(**options.shown("lab down", "lab down --name second"))
@options.explained(options.GOES_ON)
def down(
    name: options.Name = options.DEFAULT_NAME,
    of: Annotated[
        str, typer.Option(metavar="USER", help="Remove the lab that this other user made.")
    ] = "",
) -> None:
    """Remove the lab, whatever state it is in; nothing of it stays."""
    removed = remove(name, Terminal(), of)
    for thing in removed:
        print(f"  removed {thing}")
    if not removed:
        print(f"There was nothing of a lab {name!r}.")


def remove(name: str, progress: Progress, owner: str = "") -> list[str]:
    """Remove the lab called `name` and return the names of what was removed.

    What makes the nodes, and the artefact cache, stay: they are not the lab's.
    `owner` is the user whose lab is meant, where it is not one's own.
    Raises LabError where a provider could not do it, and no other had the lab, or
    where the lab is another user's.
    """
    state = StateDirectory(settings.checked_name(name))
    with state.lock(), progress.step(f"Remove the lab {name!r}", limit_s=120):
        removed: list[str] = []
        unanswered: list[LabError] = []
        for provider_name in registry.names():
            provider = registry.provider(provider_name, name, state)
            try:
                provider.list_nodes()
            except ForeignLabError:
                pass  # `destroy` knows whose lab is meant.
            except LabError as error:
                unanswered.append(error)
                continue
            removed += provider.destroy(owner)
        if unanswered and not removed:
            raise unanswered[0]
        if state.directory.exists():
            state.remove()
            removed.append(f"directory {state.directory}")
        removed += [f"directory {left}" for left in sweep()]
    return removed
