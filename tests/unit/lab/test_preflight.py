"""`lab preflight`: all that is wrong, at once, each with its cure."""

import shutil
from types import SimpleNamespace

import pytest

from lab.commands import options
from lab.console.errors import LabError, together
from lab.host import packages, privileges, requirements
from lab.providers.container import network
from tests.unit.lab.fake_engine import Network, client_of

EVERYTHING = ("lab_profile=x", "lab_distribution=k3s", "lab_k3s_version=v1.99.0+k3s1")


def test_every_problem_is_told_with_its_cure(kit, monkeypatch):
    nothing = SimpleNamespace(available=-1)
    monkeypatch.setattr(requirements.psutil, "virtual_memory", lambda: nothing)
    settings = [word for setting in EVERYTHING for word in ("--set", setting)]
    done = kit("preflight", *settings)
    assert done.exit_code == 1
    assert done.stderr.count("\nerror: ") == 1
    for problem, cure in (
        ("There is no timer profile 'x'", "Set lab_profile to one of"),
        ("This machine can't hold the lab", "take fewer workers"),
        ("k3s v1.99.0+k3s1 is neither in the cache nor at", "Set lab_k3s_version"),
    ):
        assert problem in done.stderr
        assert cure in done.stderr.partition(problem)[2]
    assert "settings of" in done.stdout


def test_an_inventory_that_is_wrong_hides_nothing_of_the_machine(kit, tmp_path):
    shutil.copytree(options.EMBEDDED, tmp_path / "inventory")
    hosts = tmp_path / "inventory" / "hosts.yml"
    hosts.write_text(
        "all: {children: {servers: {hosts: {UPPER: , b: }}, workers: {hosts: {b: }}}}\n"
    )
    done = kit("preflight", "-i", str(tmp_path / "inventory"), "--set", "lab_subnet=8.8.8.0/24")
    assert done.exit_code == 1
    assert "lab_subnet: must be auto or a private /24" in done.stderr
    assert "has the host 'b' among both servers and workers" in done.stderr
    assert "names Kubernetes refuses: UPPER" in done.stderr
    assert "has 2 servers" in done.stderr
    assert "engine: none" in done.stdout


def test_one_problem_needs_no_list():
    error = LabError("It is full.", "Empty it.")
    assert together([error], "It can't go on") is error


def test_problems_are_numbered_and_indented():
    errors = [LabError("A.", "Cure it."), LabError("B:\n  b", "Cure that.")]
    assert str(together(errors, "No")) == (
        "No, for 2 reasons:\n1. A.\n   Cure it.\n2. B:\n     b\n   Cure that."
    )


def test_root_is_foreseen_and_not_asked_for(monkeypatch):
    assert privileges.foreseen([]) == "root: not needed"
    monkeypatch.setattr(privileges.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(privileges.environment, "which", lambda _: None)
    with pytest.raises(LabError, match="no program sudo"):
        privileges.foreseen(["install x"])
    monkeypatch.setattr(privileges.environment, "which", lambda name: f"/usr/bin/{name}")
    asked = []
    monkeypatch.setattr(privileges, "_succeeds", lambda argv, quiet=False: asked.append(argv))
    assert "sudo may ask for a password" in privileges.foreseen(["install x"])
    assert asked == [["sudo", "-n", "true"]]


def test_packages_without_an_installer_are_a_problem(monkeypatch):
    monkeypatch.setattr(packages.environment, "which", lambda _: None)
    with pytest.raises(LabError, match="has no apt-get"):
        packages.check_installer(["docker.io"])


def test_a_network_that_is_the_labs_already_is_free(monkeypatch):
    monkeypatch.setattr(network.routes, "networks", lambda: [])
    own = Network(configs=[{"Subnet": "10.87.0.0/24", "Gateway": "10.87.0.1"}])
    network.check_free(client_of(networks=[own]), "x", "10.87.0.0/24")
    with pytest.raises(LabError, match="is taken"):
        network.check_free(client_of(networks=[own]), "y", "10.87.0.0/24")
