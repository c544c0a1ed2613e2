"""`lab down`: nothing of the lab is left, whatever state it was in."""

from lab.commands import options
from lab.config import settings
from lab.console.errors import LabError
from lab.console.progress import Progress, Terminal
from lab.nodes.state import StateDirectory
from lab.providers import registry

app = options.verb_app()


@app.command()
@options.explained()
def down(name: options.Name = options.DEFAULT_NAME) -> None:
    """Remove the lab, whatever state it is in; nothing of it stays."""
    removed = remove(name, Terminal())
    for thing in removed:
        print(f"  removed {thing}")
    if not removed:
        print(f"There was nothing of a lab {name!r}.")


def remove(name: str, progress: Progress) -> list[str]:
    """Remove the lab called `name` and return the names of what was removed.

    What makes the nodes, and the artefact cache, stay: they are not the lab's.
    Raises LabError where a provider could not do it, and no other had the lab.
    """
    state = StateDirectory(settings.checked_name(name))
    with state.lock(), progress.step(f"Remove the lab {name!r}", limit_s=120):
        removed: list[str] = []
        unanswered: list[LabError] = []
        for provider_name in registry.names():
            provider = registry.provider(provider_name, name, state)
            try:
                provider.list_nodes()
            except LabError as error:
                unanswered.append(error)
                continue
            removed += provider.destroy()
        if unanswered and not removed:
            raise unanswered[0]
        if state.directory.exists():
            state.remove()
            removed.append(f"directory {state.directory}")
    return removed
