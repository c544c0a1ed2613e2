"""`lab restore`: a cluster that has lost the majority of its servers for good, made again."""

from lab.commands import options
from lab.commands.life.up import bring_up
from lab.console.progress import Terminal, duration

app = options.verb_app()


@app.command(**options.shown("lab restore", "lab restore --name second"))
@options.explained(options.GOES_ON)
def restore(
    inventory: options.InventoryDirectory = options.EMBEDDED,
    name: options.NameOverride = None,
    settings: options.SetOption = None,
) -> None:
    """Make a cluster again that has lost the majority of its servers for good.

    Of a server's own data where one has them, else of the newest snapshot that `lab up`
    has kept: what Kubernetes was told after that is lost. A cluster that has its majority
    is left as it is.
    """
    wanted = options.read_lab(inventory, name, settings)
    result = bring_up(wanted, Terminal(), restore=True)
    print(
        f"\nThe lab {wanted.settings.lab_name!r} is restored after {duration(result.seconds)}: "
        "frames flow."
    )
