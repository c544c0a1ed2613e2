"""`lab profile show`: timers, and when a cluster under them reacts."""

from enum import Enum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from lab.commands import options
from lab.config import profiles, reactions
from lab.config.profiles import Profile
from lab.config.reactions import Reaction

app = options.verb_app()


class Action(Enum):
    """What is done with profiles."""

    SHOW = "show"


@app.command(**options.shown("lab profile show", "lab profile show floor"))
@options.explained()
def profile(
    action: Annotated[Action, typer.Argument(metavar="show", help="What to do.")],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One profile; all of them if left out.")
    ] = None,
) -> None:
    """Show timers, and when a cluster under them reacts to each fault.

    Seconds are counted from the fault, on machines that take no time themselves.
    """
    del action  # There is one.
    chosen = [profiles.load(one) for one in ([name] if name else profiles.names())]
    console = Console()
    console.print(_timers(chosen))
    console.print(_reactions(chosen))
    if name:
        for stage, span in _spans(chosen[0]).items():
            console.print(f"{stage}: {span.why}.", highlight=False)


def _timers(chosen: list[Profile]) -> Table:
    table = Table("Timer", *(one.name for one in chosen))
    for knob in chosen[0].timers:
        table.add_row(knob, *(f"{one.timers[knob]:g}" for one in chosen))
    return table


def _reactions(chosen: list[Profile]) -> Table:
    table = Table(Column("Lost: after s", no_wrap=True), *(one.name for one in chosen))
    spans = [_spans(one) for one in chosen]
    for stage in spans[0]:
        shown = (one[stage] for one in spans)
        table.add_row(stage, *(f"{span.earliest_s:.3g}-{span.latest_s:.3g}" for span in shown))
    return table


def _spans(one: Profile) -> dict[str, Reaction]:
    """Return stage -> when it comes, by what is lost."""
    lost, led = reactions.not_ready(one), reactions.not_ready_after_take_over(one)
    return {
        "node: NotReady": lost,
        "node: pods leave": reactions.evicted(one, lost),
        "lease holder: next leads": reactions.taken_over(one),
        "lease holder: NotReady": led,
        "lease holder: pods leave": reactions.evicted(one, led),
        "etcd leader: writes go on": reactions.elected(one),
        "server: clients let go": reactions.dropped(one),
    }
