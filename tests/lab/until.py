"""Waiting for what a lab lacks."""

from collections.abc import Callable

from lab.console.progress import Silent, wait


def until(missing: Callable[[], str | None], *, limit_s: float) -> None:
    """Wait until `missing` names nothing any more."""
    with Silent().step("", limit_s=limit_s) as step:
        wait("what is missing", lambda: missing() or None, limit_s=limit_s, step=step)
