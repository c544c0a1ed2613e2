"""The bench of deployments: what it does next, and what it makes of the figures."""

import json
import xml.etree.ElementTree as ET

from benchmarks import deployment
from benchmarks.deployment import Deployment


def one(kind, nodes, seconds):
    return Deployment(
        distribution=kind,
        version="v1.34.3",
        nodes=nodes,
        control_plane_s=seconds / 2,
        nodes_s=seconds,
        frames_s=seconds + 5,
        load=0.5,
    )


def test_distributions_and_sizes_alternate_and_every_second_round_is_turned_round():
    due = list(deployment._due(["k3s", "kubeadm"], [1, 3], 2, []))
    assert due[:4] == [("k3s", 1), ("kubeadm", 1), ("k3s", 3), ("kubeadm", 3)]
    assert due[4:] == due[:4][::-1]


def test_what_is_done_already_is_not_done_again(tmp_path):
    done = [one("k3s", 1, 30.0), one("k3s", 1, 32.0), one("kubeadm", 1, 50.0)]
    deployment._write(tmp_path, done)
    assert deployment._read(tmp_path) == done
    assert list(deployment._due(["k3s", "kubeadm"], [1], 2, done)) == [("kubeadm", 1)]


def test_mean_and_deviation_are_those_of_the_samples(tmp_path):
    done = [one("k3s", 3, value) for value in (30.0, 32.0, 34.0)]
    deployment._write(tmp_path, [*done, one("kubeadm", 3, 60.0)])
    table = (tmp_path / "deployment.md").read_text()
    assert "| 3 | k3s v1.34.3 | 3 | 16.0 ± 1.0 | 32.0 ± 2.0 | 37.0 ± 2.0 |" in table
    assert "| 3 | kubeadm v1.34.3 | 1 | 30.0 | 60.0 | 65.0 |" in table
    assert len(json.loads((tmp_path / "deployment.json").read_text())["deployments"]) == 4


def test_the_plot_has_a_bar_a_group_and_a_dot_a_deployment():
    done = [one("k3s", 1, 30.0), one("k3s", 1, 40.0), one("kubeadm", 5, 80.0)]
    picture = ET.fromstring(deployment._plot(done))  # noqa: S314 - its own
    names = [element.tag.rpartition("}")[2] for element in picture.iter()]
    assert names.count("rect") == 2
    assert names.count("circle") == 3
    assert "1 nodes, k3s v1.34.3: 35.0 ± 7.1 s" in picture.find("{*}desc").text


def test_an_inventory_of_any_size_has_one_server(tmp_path):
    made = deployment._inventory(tmp_path, "bench", "kubeadm", 3)
    assert dict(made.hosts) == {"server-1": "server", "worker-1": "worker", "worker-2": "worker"}
    assert made.settings.lab_distribution == "kubeadm"
