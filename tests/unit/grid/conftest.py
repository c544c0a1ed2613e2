import asyncio
import inspect
import logging

import hypothesis
import pytest
import stream_fixtures as streams
from mysql_fixtures import find_server, make_env

__all__ = ["find_server", "make_env"]

# How long an example takes depends on what else this machine does.
hypothesis.settings.register_profile("grid", deadline=None)
hypothesis.settings.load_profile("grid")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine, in an event loop of its own and for a minute at most."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), streams.stretched(60)))
    return True


@pytest.fixture(autouse=True)
def _all_messages(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="grid")
