"""SIGTERM and SIGHUP, which end the kit as Ctrl-C does: what it began is ended, and said."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""What machines, and terminals that close, end a command by."""


def end_like_ctrl_c() -> Callable[[], None]:
    """Let both signals raise KeyboardInterrupt in the main thread; return what undoes it.

    A signal that is ignored, as SIGHUP under nohup, stays ignored. The second one changes
    nothing: it must not break off what the first one began, such as healing.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)

    def undo() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return undo


def _interrupt(number: int, _: FrameType | None) -> None:
    for other in SIGNALS:
        if signal.getsignal(other) is _interrupt:
            # A function, not SIG_IGN: programs that heal must not inherit an ignored signal.
            signal.signal(other, _go_on)
    raise KeyboardInterrupt(signal.Signals(number).name)


def _go_on(number: int, frame: FrameType | None) -> None:
    """Do nothing."""
