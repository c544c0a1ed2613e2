"""The signals of a scenario's PMUs."""

from grid.pmu.scenario.model import Scenario, ScenarioEvent, SimulatedPmu
from grid.pmu.scenario.pmu_faults import PmuFault
from grid.pmu.signals.disturbance import Disturbance
from grid.pmu.signals.signal import (
    AmbientFrequency,
    DisturbedSignal,
    LineSignal,
    Noise,
    Signal,
    shared,
)


class ScenarioSignals:
    """Makes the PMUs' signals, which share what is the same for all of them."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._ambient = AmbientFrequency(seed=scenario.seed, wander_hz=scenario.wander_hz)
        self._disturbances: list[tuple[ScenarioEvent, Disturbance]] = [
            (event, shared(event.what))
            for event in scenario.events
            if not isinstance(event.what, PmuFault)
        ]
        self.noise = Noise(seed=scenario.seed, deviation=scenario.noise)
        """For the phasors of all."""

    def of(self, pmu: SimulatedPmu) -> Signal:
        """Return what a PMU sees, without noise."""
        signal = pmu.replay or LineSignal(
            ambient=self._ambient, level=pmu.level, seed=self._scenario.seed, place=pmu.idcode
        )
        touching = [
            (what, event.share(pmu.name))
            for event, what in self._disturbances
            if event.share(pmu.name)
        ]
        return DisturbedSignal(signal, touching) if touching else signal
