"""The YAML of the reference pages is what the programs take."""

import re
import shutil
from pathlib import Path

from grid.pdc.topology import document as topologies
from grid.pmu.scenario import document as scenarios

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
CAPTURE = ROOT / "tests" / "data" / "synchrophasor" / "captures" / "C37.118_1PMU_TCP.pcap"


def block(page: str) -> str:
    found = re.search(r"```yaml\n(.*?)```", (REFERENCE / page).read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_topology_is_taken() -> None:
    topology = topologies.loads(block("topology.md"))
    assert [pmu.name for pmu in topology.pmus] == ["pmu-1", "pmu-7"]
    assert topology.mqtt is not None


def test_the_scenario_is_taken(tmp_path: Path) -> None:
    text = block("scenario.md").replace("idcode: 60", "idcode: 241")
    (tmp_path / "bus.csv").write_text(
        "time_s,bus-7.V,bus-7.V_deg,bus-7.I,bus-7.I_deg\n0,1,0,1,0\n1,1,0,1,0\n"
    )
    shutil.copyfile(CAPTURE, tmp_path / "field.pcap")
    (tmp_path / "scenario.yml").write_text(text)
    scenario = scenarios.load(str(tmp_path / "scenario.yml"))
    assert len(scenario.pmus) == 102
    assert len(scenario.captures) == 1
