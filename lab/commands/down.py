"""`lab down`: nothing of the lab is left, whatever state it was in."""

from lab.config.settings import Settings
from lab.console.progress import Progress
from lab.nodes.state import State
from lab.providers.container import engine
from lab.providers.container.provider import ContainerProvider


def down(name: str, progress: Progress) -> list[str]:
    """Remove the lab called `name` and return the names of what was removed.

    The Docker engine and the artefact cache stay: they are not the lab's.
    """
    state = State(name)
    with state.lock(), progress.step(f"Remove the lab {name!r}", limit_s=120):
        provider = ContainerProvider(engine.connect(), Settings(lab_name=name), state)
        removed = provider.destroy()
        if state.directory.exists():
            state.remove()
            removed.append(f"directory {state.directory}")
    return removed
