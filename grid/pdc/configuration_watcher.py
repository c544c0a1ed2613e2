"""Follows the changes of a configuration source, without a pause in the frames."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from grid.pdc.configuration_source import ConfigurationSource, ConfigurationSourceError
from grid.pdc.outputs.mqtt_output import MqttError
from grid.pdc.topology.changes import changes
from grid.pdc.topology.model import Topology
from service import threads

_LOG = logging.getLogger(__name__)

_RETRY_S = 5.0
"""How often a source is tried that could not be read yet, where nothing else is wanted."""
_THREAD = "read the configuration"


class ConfigurationWatcher:
    """Asks a source every `poll_s` seconds whether it changed, and hands on what is new.

    With `poll_s` 0 it asks when reload() is called, and until the source was read once.
    What cannot be read or applied is said once and leaves everything as it is.
    """

    def __init__(
        self,
        source: ConfigurationSource,
        topology: Topology,
        apply: Callable[[Topology], Awaitable[None]],
        *,
        poll_s: float,
        known: bool,
    ) -> None:
        """Start from `topology`, which is the source's if `known`, or an older copy."""
        self._source = source
        self._topology = topology
        self._apply = apply
        self._poll_s = poll_s
        self._digest: str | None = None
        self._asked = asyncio.Event()
        self._problem = ""
        self.known = known
        """Whether the topology in use was read from the source, not from a copy of it."""
        self.away = not known
        """Whether the source could not be read the last time."""
        self.applied = 0
        """Changes that are in use."""
        self.failed = 0
        """Times that a changed source could not be read or used."""

    def reload(self) -> None:
        """Read the source now, whether it changed or not."""
        self._asked.set()

    async def run(self) -> None:
        """Follow the source; ends only when cancelled."""
        if self.known and self._poll_s:
            await self._look(force=False)
        while True:
            pause_s = self._poll_s if self.known or self._poll_s else _RETRY_S
            try:
                async with asyncio.timeout(pause_s or None):
                    await self._asked.wait()
            except TimeoutError:
                await self._look(force=False)
            else:
                self._asked.clear()
                await self._look(force=True)

    async def _look(self, *, force: bool) -> None:
        """Read the source if it changed, or if `force` is set."""
        try:
            digest = await threads.call(self._source.digest, _THREAD)
            if digest == self._digest and not force:
                self._back()
                return
            topology = await threads.call(self._source.load, _THREAD)
        except ConfigurationSourceError as error:
            self._away(str(error), force)
            return
        self._back()
        self.known, self._digest = True, digest
        lines = changes(self._topology, topology)
        if not lines:
            if force:
                _LOG.info("read %s: nothing changed", self._source.name)
            return
        _LOG.info("%s changed:\n  %s", self._source.name, "\n  ".join(lines))
        try:
            await self._apply(topology)
        except (ValueError, OSError, MqttError) as error:
            self.failed += 1
            _LOG.error("the change cannot be used, going on as before: %s", error)
        else:
            self.applied += 1
            self._topology = topology

    def _away(self, problem: str, force: bool) -> None:
        self.failed += not self.away or force
        if force or problem != self._problem:
            again = f"; asking again each {self._poll_s or _RETRY_S:g} s"
            _LOG.warning(
                "cannot read %s, going on with what is known: %s%s",
                self._source.name,
                problem,
                again if self._poll_s or not self.known else "",
            )
        self.away, self._problem = True, problem

    def _back(self) -> None:
        if self.away:
            _LOG.info("%s can be read again", self._source.name)
        self.away, self._problem = False, ""
