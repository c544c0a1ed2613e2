"""Signals of a whole grid: Kundur's two-area system, simulated by ANDES.

ANDES (`pip install blackstart[andes]`) ships the system: two areas of two power plants each,
joined by three parallel lines. A minute passes:

    5 s     a short circuit on one of the joining lines, near bus 8; 0.1 s later the line opens,
            and the areas swing against each other
    15 s    the line is closed again
    25 s    a quarter of the plant at bus 4 trips; the governors catch the frequency
    50 s    the simulation ends; from here on everything returns to where it began, along a
            smooth curve that is not simulated, so that the minute can be repeated
"""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grid.pmu.signals import shapes

FREQUENCY_HZ = 50
RATE = 50
"""Rows a second."""
FAULT_S, CLEARED_S, CLOSED_S, TRIP_S, END_S, MINUTE_S = 5.0, 5.1, 15.0, 25.0, 50.0, 60.0

_CASE = "kundur/kundur_full.xlsx"
_FAULT_BUS, _FAULT_X, _LINE = 8, 0.02, "Line_4"
_SPLIT, _SHARE = 4, 0.25
"""The plant of which a part is a unit of its own, which trips."""
_UNIT = "unit"


@dataclass(frozen=True, kw_only=True)
class PmuSite:
    """The place of a PMU in the grid."""

    name: str
    """Of the PMU's columns."""
    bus: int
    """Whose voltage it sees."""
    line: str
    """Whose current it sees, where it leaves the bus."""


SITES = (
    PmuSite(name="bus-5", bus=5, line="Line_0"),
    PmuSite(name="bus-7", bus=7, line="Line_5"),
    PmuSite(name="bus-10", bus=10, line="Line_9"),
)
"""The first area's edge, the middle, the second area's edge."""

_Polar = tuple[list[float], list[float]]
"""Magnitudes, and angles in rad without jumps of a turn."""


def write(path: Path) -> None:
    """Simulate the minute and write it as a recording; ImportError without ANDES."""
    # An optional extra of some hundred megabytes.
    import andes  # noqa: PLC0415

    system = _simulated(andes)
    columns: dict[str, _Polar] = {}
    for site in SITES:
        for kind, polar in (("V", _voltage(system, site)), ("I", _current(system, site))):
            columns[f"{site.name}.{kind}"] = polar
    steps = round((MINUTE_S - END_S) * RATE)
    first = next(iter(columns.values()))[1]
    common = _return_turn(first)
    lines = [f"# {line}" for line in _note(andes.__version__)]
    names = ["time_s", *(f"{name}{part}" for name in columns for part in ("", "_deg"))]
    lines.append(",".join(names))
    polars = [
        (_returned(magnitudes, steps), _returned_angle(angles, first, common, steps))
        for magnitudes, angles in columns.values()
    ]
    for row in range(len(polars[0][0])):
        cells = [f"{row / RATE:.2f}"]
        for magnitudes, angles in polars:
            degrees = math.degrees(math.remainder(angles[row], math.tau))
            cells += [f"{magnitudes[row]:.1f}", f"{degrees:.3f}"]
        lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _note(version: str) -> list[str]:
    return [
        "Kundur's two-area system at 50 Hz, three buses: phase voltages in V, line currents in A,",
        "angles in degrees against nominal frequency; 50 rows a second.",
        f"Made by `pmu signals FILE` with ANDES {version}; signals/two_area.py says what happens.",
        f"From {END_S:g} s on the values return to those of 0 s on a curve that is not simulated.",
    ]


def _simulated(andes: Any) -> Any:
    """Return the system after its time-domain simulation."""
    andes.config_logger(stream_level=40)
    system = andes.load(andes.get_case(_CASE), setup=False, no_output=True, default_config=True)
    system.config.freq = FREQUENCY_HZ
    for model in system.models.values():
        if model.n and "fn" in model.params:
            model.fn.v = [float(FREQUENCY_HZ)] * model.n
    for toggle in range(len(system.Toggle.idx.v)):
        system.Toggle.u.v[toggle] = 0
    _split(system)
    system.add("Fault", {"bus": _FAULT_BUS, "tf": FAULT_S, "tc": CLEARED_S, "xf": _FAULT_X})
    for model, device, seconds in (
        ("Line", _LINE, CLEARED_S),
        ("Line", _LINE, CLOSED_S),
        ("GENROU", _UNIT, TRIP_S),
    ):
        system.add("Toggle", {"model": model, "dev": device, "t": seconds})
    system.setup()
    if not system.PFlow.run():
        raise RuntimeError("ANDES found no power flow")
    settings = system.TDS.config
    settings.tf, settings.tstep, settings.fixt, settings.no_tqdm = END_S, 0.005, 1, 1
    if not system.TDS.run():
        raise RuntimeError("ANDES did not reach the end of the simulation")
    return system


def _split(system: Any) -> None:
    """Make a part of one plant a unit of its own, with governor and exciter."""
    for model, key in (("GENROU", "idx"), ("TGOV1", "syn"), ("EXDC2", "syn")):
        table = getattr(system, model).as_df()
        (row,) = (row for _, row in table.iterrows() if row[key] == _SPLIT)
        unit = row.to_dict()
        unit["name"] = f"{model} {_UNIT}"
        unit["idx"] = _UNIT if model == "GENROU" else f"{model} {_UNIT}"
        if model == "GENROU":
            place = list(table["idx"]).index(_SPLIT)
            machine = system.GENROU
            for part, share in (("gammap", _SHARE), ("gammaq", _SHARE), ("Sn", _SHARE)):
                unit[part] = row[part] * share
                getattr(machine, part).v[place] = row[part] * (1 - share)
        else:
            unit["syn"] = _UNIT
        system.add(model, unit)


def _voltage(system: Any, site: PmuSite) -> _Polar:
    """Return a bus' voltage, phase to neutral."""
    index = list(system.Bus.idx.v).index(site.bus)
    base = float(system.Bus.Vn.v[index]) * 1e3 / math.sqrt(3)
    table = system.dae.ts
    magnitudes = table.y[:, system.Bus.v.a[index]] * base
    return _rows(table.t, magnitudes, table.y[:, system.Bus.a.a[index]])


def _current(system: Any, site: PmuSite) -> _Polar:
    """Return the current that leaves a bus on a line, by the line's equations."""
    line = list(system.Line.idx.v).index(site.line)
    ends = [system.Line.bus1.v[line], system.Line.bus2.v[line]]
    if ends[0] != site.bus:
        ends.reverse()
    here, there = (list(system.Bus.idx.v).index(bus) for bus in ends)
    # Parameters stand in per unit of the system's base once it was set up.
    r, x, b = (float(getattr(system.Line, name).v[line]) for name in ("r", "x", "b"))
    table = system.dae.ts
    near, far = (
        [
            cmath.rect(magnitude, angle)
            for magnitude, angle in zip(
                table.y[:, system.Bus.v.a[bus]], table.y[:, system.Bus.a.a[bus]], strict=True
            )
        ]
        for bus in (here, there)
    )
    volts = float(system.Bus.Vn.v[here]) * 1e3
    base = float(system.config.mva) * 1e6 / (math.sqrt(3) * volts)
    currents = [
        base * ((one - other) / complex(r, x) + one * complex(0, b / 2))
        for one, other in zip(near, far, strict=True)
    ]
    angles, last = [], 0.0
    for current in currents:
        last += math.remainder(cmath.phase(current) - last, math.tau)
        angles.append(last)
    return _rows(table.t, [abs(current) for current in currents], angles)


def _rows(times: Sequence[float], magnitudes: Sequence[float], angles: Sequence[float]) -> _Polar:
    """Return the values at each row's time, from the two neighbours."""
    rows: _Polar = ([], [])
    place = 0
    for row in range(round(END_S * RATE)):
        seconds = row / RATE
        # An event has two entries of one time; the later one is after it.
        while place + 2 < len(times) and times[place + 1] <= seconds + 1e-9:
            place += 1
        step = times[place + 1] - times[place]
        part = (seconds - times[place]) / step if step > 0 else 0.0
        for found, values in zip(rows, (magnitudes, angles), strict=True):
            found.append(float(values[place] + part * (values[place + 1] - values[place])))
    return rows


def _returned(values: list[float], steps: int) -> list[float]:
    """Return magnitudes that go back to the first one within `steps` rows."""
    return values + [
        values[-1] + (values[0] - values[-1]) * shapes.rise(step + 1, steps).value
        for step in range(steps)
    ]


def _slope(angles: list[float]) -> float:
    """Return the turn within a row at the end."""
    return (angles[-1] - angles[-1 - RATE]) / RATE


def _return_turn(angles: list[float]) -> float:
    """Return by how much less than the frequency's return an angle turns to be back."""
    steps = round((MINUTE_S - END_S) * RATE)
    return math.remainder(angles[0] - angles[-1] - _slope(angles) * steps / 2, math.tau)


def _returned_angle(
    angles: list[float], first: list[float], common: float, steps: int
) -> list[float]:
    """Return angles that go back, all together with the `first` and its `common` turn."""
    slope = _slope(first)
    own = (angles[0] - angles[-1]) - (first[0] - first[-1])
    own = math.remainder(own, math.tau)
    result = list(angles)
    for step in range(steps):
        x = (step + 1) / steps
        # The frequency fades along rise(); this is its integral, 1/2 at the end.
        faded = x - (x**6 - 3 * x**5 + 2.5 * x**4)
        turn = slope * steps * faded + (common + own) * shapes.rise(x, 1.0).value
        result.append(angles[-1] + turn)
    return result
