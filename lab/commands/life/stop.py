"""`lab stop`: all nodes off, in order; what they hold is kept."""

from lab.cluster.lab import find
from lab.commands import options
from lab.console.progress import Terminal

app = options.verb_app()
STOP_LIMIT_S = 60


@app.command(**options.shown("lab stop", "lab stop --name second"))
@options.explained(options.GOES_ON)
def stop(name: options.Name = options.DEFAULT_NAME) -> None:
    """Shut all nodes of the lab down in order; what they hold is kept."""
    lab = find(name)
    with lab.state.lock(), Terminal().step(f"Stop {len(lab.running)} nodes", limit_s=STOP_LIMIT_S):
        lab.provider.stop()
    print(f"The lab {name!r} is off. `lab start` goes on with it, `lab down` removes it.")
