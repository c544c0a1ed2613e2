"""Which engine is meant, and which engines are refused before anything is built."""

import hashlib
import json
import os

import pytest
from docker.api.client import APIClient

from lab.console.errors import LabError
from lab.providers.container import engine, engine_choice

INFO = {
    "SecurityOptions": ["name=seccomp,profile=default"],
    "KernelVersion": os.uname().release,
    "DockerRootDir": "/var/lib/docker",
}
VERSION = {"ApiVersion": "1.41", "Components": [{"Name": "Engine"}]}


@pytest.fixture
def context(tmp_path, monkeypatch):
    """Have a user whose `docker context use` chose a context with the engine at `host`."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)

    def use(name, host):
        folder = tmp_path / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        folder.mkdir(parents=True)
        endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
        meta = {"Name": name, "Metadata": {}, "Endpoints": endpoints}
        (folder / "meta.json").write_text(json.dumps(meta))
        (tmp_path / "config.json").write_text(json.dumps({"currentContext": name}))

    return use


@pytest.mark.parametrize("host", ["ssh://me@far.example", "tcp://10.0.0.1:2376"])
def test_a_context_of_another_machine_is_refused_by_its_name(context, host):
    context("far", host)
    with pytest.raises(LabError, match=f"The Docker context 'far' \\({host}\\)") as caught:
        engine_choice.chosen()
    assert "DOCKER_CONTEXT=default" in caught.value.cure


def test_the_variables_of_docker_count_in_its_own_order(context, monkeypatch):
    context("rootless", "unix:///run/user/1000/docker.sock")
    assert engine_choice.chosen().url == "unix:///run/user/1000/docker.sock"
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert engine_choice.chosen().url is None
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    assert engine_choice.chosen().origin == "DOCKER_HOST=unix:///var/run/docker.sock"


def test_a_context_that_there_is_not(context, monkeypatch):
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    with pytest.raises(LabError, match="no Docker context 'gone', which DOCKER_CONTEXT chooses"):
        engine_choice.chosen()


def test_a_context_that_is_damaged(context, tmp_path):
    context("odd", "unix:///x")
    next(tmp_path.rglob("meta.json")).write_text("{")
    with pytest.raises(LabError, match="context 'odd', chosen by `docker context use`, can't"):
        engine_choice.chosen()


@pytest.mark.parametrize("text", ["[]", "3", '{"proxies": 3}', '{"auths": 3}', "{"])
def test_odd_settings_of_dockers_client_are_no_traceback(context, tmp_path, monkeypatch, text):
    # As if an engine listened.
    monkeypatch.setattr(engine, "_knock", lambda _: None)
    monkeypatch.setattr(APIClient, "_retrieve_server_version", lambda _: "1.41")
    (tmp_path / "config.json").write_text(text)
    try:
        engine.connect().close()
    except LabError as error:
        assert str(tmp_path / "config.json") in error.message  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    ("info", "version", "why"),
    [
        ({"SecurityOptions": ["name=rootless", "name=cgroupns"]}, {}, "is rootless"),
        ({"SecurityOptions": ["name=userns"]}, {}, "userns-remap"),
        ({}, {"Components": [{"Name": "Podman Engine"}]}, "is Podman"),
        ({"KernelVersion": "5.15.49-linuxkit"}, {}, "virtual machine .kernel 5.15.49-linuxkit"),
        ({"DockerRootDir": "/var/snap/docker/common/var-lib-docker"}, {}, "is a snap"),
        ({}, {"ApiVersion": "1.40"}, "is too old"),
    ],
)
def test_an_engine_that_can_carry_no_lab_is_refused_by_its_kind(info, version, why):
    with pytest.raises(LabError, match=why) as caught:
        engine_choice.refuse_unfit({**INFO, **info}, {**VERSION, **version}, "DOCKER_HOST=unix://x")
    assert "(DOCKER_HOST=unix://x)" in caught.value.message
    assert "apt-get install docker.io" in caught.value.cure


def test_dockers_own_engine_is_taken():
    engine_choice.refuse_unfit(INFO, VERSION, "")
