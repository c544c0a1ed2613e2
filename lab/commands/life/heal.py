"""`lab heal`: no fault is left on the lab's nodes."""

from lab.cluster.lab import find
from lab.commands import options
from lab.faults import healing as faults

app = options.verb_app()


@app.command(**options.shown("lab heal", "lab heal --name second"))
@options.explained(options.GOES_ON)
def heal(name: options.Name = options.DEFAULT_NAME) -> None:
    """Undo every fault on the lab's nodes, whoever left it."""
    healed = faults.heal(find(name).running_nodes)
    for line in healed:
        print(f"  {line}")
    if not healed:
        print(f"No fault was in force on the lab {name!r}.")
