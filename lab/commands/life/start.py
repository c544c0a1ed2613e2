"""`lab start`: all nodes on again, until frames flow; no setting is changed."""

import time

from lab.cluster.lab import find
from lab.commands import options
from lab.commands.life.booting import await_frames, boot
from lab.console.errors import LabError
from lab.console.progress import Terminal, duration

app = options.verb_app()


@app.command(**options.shown("lab start", "lab start --name second"))
@options.explained(options.GOES_ON)
def start(name: options.Name = options.DEFAULT_NAME) -> None:
    """Start the nodes of a lab that are off, and wait until frames flow."""
    started = time.monotonic()
    lab = find(name)
    if gone := lab.state.hosts().keys() - {node.name for node in lab.nodes}:
        raise LabError(
            f"The lab {name!r} lacks nodes: {', '.join(sorted(gone))}. Nothing was started.",
            "Run `lab up`, which makes them again.",
        )
    progress = Terminal()
    with lab.state.lock():
        boot(lab.provider, progress)
        await_frames(lab.cluster, progress)
    print(f"The lab {name!r} runs after {duration(time.monotonic() - started)}: frames flow.")
