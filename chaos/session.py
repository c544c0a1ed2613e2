"""One run: the actions of a sequence, each followed by a command that brings a known state."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from docker.errors import DockerException

from chaos import invariants, observed
from chaos.actions import Action
from chaos.commands import Finished, Kit, Running
from chaos.machines import Machines
from chaos.sequence import Hosts, Planned
from chaos.trace import Trace
from lab.console.errors import LabError

SETTLE_S = 60.0
"""How long after `lab up` a lab may take to be healthy, as pods come back."""
VANISH_S = 30.0
"""How long after `lab down` processes may take to end, such as SSH's idle connections."""
INTERVAL_S = 2.0


class Session:
    """The lab of one run, and what was found wrong with it."""

    def __init__(
        self, kit: Kit, machines: Machines, *, hosts: Hosts, trace: Trace, temporary: Path
    ) -> None:
        self.kit = kit
        self.machines = machines
        self.harnesses: list[subprocess.Popen[str]] = []
        self.problems: list[str] = []
        """What is not as it must be."""
        self.last: Finished | None = None
        """The last command that ended."""
        self._hosts = hosts
        self._trace = trace
        self._temporary = temporary
        self._uid = ""

    def perform(self, planned: Planned, action: Action) -> None:
        """Do one action, then bring the lab to what is planned, and judge it."""
        self._trace.action(planned.number, str(planned), planned.arguments)
        try:
            self._act(planned, action)
        finally:
            self._end_harnesses()

    def _act(self, planned: Planned, action: Action) -> None:
        try:
            action.do(self, planned.arguments)
        except (DockerException, OSError) as error:
            self.wrong(f"{action.name} could not be done: {error}")
            return
        if planned.looks:
            self.run("status")
        if planned.then == "down":
            self.bring_down()
        else:
            self._bring_up(action)

    def _end_harnesses(self) -> None:
        for process in self.harnesses:
            process.kill()
            process.communicate()
        self.harnesses.clear()

    def run(self, *words: str, stop: signal.Signals | None = None, after_s: float = 0) -> Finished:
        """Run a command of the kit, and judge its answer."""
        return self._judged(self.kit.run(*words, stop=stop, after_s=after_s))

    def ended(self, running: Running) -> Finished:
        """Wait for a command under way, and judge its answer."""
        return self._judged(running.end())

    def wrong(self, problem: str) -> None:
        """Note what is not as it must be."""
        self.problems.append(problem)
        self._trace.problems([problem])

    def _judged(self, done: Finished) -> Finished:
        self.last = done
        self._trace.command(done)
        for problem in invariants.answer(done):
            self.wrong(problem)
        if done.words[0] == "down":
            self._uid = ""  # whatever it had removed when it ended
        return done

    def _bring_up(self, action: Action) -> None:
        done = self.run("up")
        if done.code == 0 and action.refused:
            self.wrong(f"`lab up` did not refuse after {action.name}")
        elif done.code != 0 and not action.cure:
            self.wrong(f"`lab up` refused after {action.name}: {invariants.refusal(done)}")
        elif done.code != 0:
            if f"lab {action.cure}" not in done.output:
                self.wrong(f"`lab up` refused, and does not name `lab {action.cure}`")
            for verb in (action.cure, "up"):
                done = self.run(verb)
                if done.code != 0:
                    self.wrong(f"`lab {verb}` refused: {invariants.refusal(done)}")
        if not self.problems:
            self._settle(self._not_up, SETTLE_S)

    def bring_down(self) -> None:
        """Remove the lab, and judge what is left of it."""
        done = self.run("down")
        if done.code != 0:
            self.wrong(f"`lab down` refused: {invariants.refusal(done)}")
        else:
            self._end_harnesses()  # A run of the suite is no part of the lab.
            self._settle(self._not_down, VANISH_S)

    def _settle(self, judge: Callable[[], list[str]], limit_s: float) -> None:
        """Wait until `judge` finds nothing wrong; what it still finds then is."""
        started = time.monotonic()
        while found := judge():
            if time.monotonic() - started > limit_s:
                for problem in found:
                    self.wrong(problem)
                return
            time.sleep(INTERVAL_S)
        if (waited := time.monotonic() - started) > INTERVAL_S:
            self._trace.note(f"all as it must be after {waited:.0f} s more")

    def _not_up(self) -> list[str]:
        status = self.kit.run("status", "--json")
        if found := invariants.answer(status):
            return found
        try:
            seen = observed.cluster(self.kit.name, status.output)
        except (LabError, json.JSONDecodeError) as error:
            return [f"the lab can't be asked: {error}", status.output]
        found = invariants.after_up(self._hosts, seen, self._uid)
        if not found:
            self._uid = next(iter(seen.uids.values()))
        return found

    def _not_down(self) -> list[str]:
        return invariants.after_down(observed.remains(self.kit.name, self._temporary))
