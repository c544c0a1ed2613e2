"""What programs of the kit's see of the user's environment, and what a command makes of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.console.errors import LabError
from lab.host import environment
from lab.host.command import run

FOR_OTHER_WORK = {
    "LD_PRELOAD": "/opt/x.so",
    "LD_LIBRARY_PATH": "/opt/conda/lib",
    "PYTHONPATH": "/opt/ros/lib",
    "PYTHONHOME": "/opt/conda",
    "PYTHONWARNINGS": "error",
    "GOFLAGS": "-mod=vendor",
    "GOOS": "windows",
    "GOROOT": "/opt/go",
    "CC": "x86_64-conda-linux-gnu-cc",
    "SSH_AUTH_SOCK": "/run/agent",
    "SSH_ASKPASS": "/usr/bin/ksshaskpass",
    "GIT_DIR": "/elsewhere/.git",
    "CDPATH": "/",
    "BASH_ENV": "/opt/profile",
    "ENV": "/opt/profile",
    "IFS": "/",
    "GREP_OPTIONS": "--color=always",
    "APT_CONFIG": "/opt/apt.conf",
    "KUBECONFIG": "/opt/kubeconfig",
    "ANSIBLE_STRATEGY": "mitogen_linear",
    "PIP_USER": "1",
    "PIP_TARGET": "/opt/pip",
    "COLUMNS": "20",
    "TZ": "Asia/Kathmandu",
    "LC_NUMERIC": "de_DE.UTF-8",
}
FOR_DOWNLOADS = {
    "GOPROXY": "https://mirror.example/go",
    "GOPRIVATE": "*.example",
    "PIP_INDEX_URL": "https://mirror.example/pypi",
    "SSL_CERT_FILE": "/etc/ssl/firewall.pem",
}


def test_what_a_user_set_for_other_work_reaches_no_program(monkeypatch):
    for name, value in {**FOR_OTHER_WORK, **FOR_DOWNLOADS}.items():
        monkeypatch.setenv(name, value)
    printed = run(["env"]).stdout.splitlines()
    seen = dict(line.partition("=")[::2] for line in printed)
    assert not seen.keys() & FOR_OTHER_WORK.keys()
    assert FOR_DOWNLOADS.items() <= seen.items()
    assert seen["LC_ALL"] == "C.UTF-8"


def test_proxies_are_given_in_both_cases(monkeypatch):
    for name in environment.PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://upper")
    monkeypatch.setenv("https_proxy", "http://lower")
    assert environment.proxies() == {
        **{"http_proxy": "http://upper", "HTTP_PROXY": "http://upper"},
        **{"https_proxy": "http://lower", "HTTPS_PROXY": "http://lower"},
    }


def test_the_systems_programs_come_first_and_relative_directories_not_at_all(monkeypatch):
    monkeypatch.setenv("PATH", ":.:/opt/conda/bin:bin:/usr/bin")
    assert environment.path() == f"{environment.SYSTEM_PATH}:/opt/conda/bin"
    monkeypatch.delenv("PATH")
    assert environment.path() == environment.SYSTEM_PATH


def test_a_user_without_home_gets_that_of_the_list_of_users(monkeypatch):
    monkeypatch.delenv("HOME")
    assert environment.composed()["HOME"] == str(Path.home())


def test_a_users_own_temporary_directory_is_used_where_all_can_use_it(monkeypatch):
    place = Path(environment.temporary_directory()) / "blackstart-own"
    place.mkdir(mode=0o777)
    try:
        place.chmod(0o777)
        monkeypatch.setenv("TMPDIR", str(place))
        assert environment.temporary_directory() == place
        assert environment.composed()["TMPDIR"] == str(place)
        place.chmod(0o700)  # as pam-tmpdir makes it: apt's own user sees nothing there
        assert environment.temporary_directory() != place
    finally:
        place.rmdir()


@pytest.mark.parametrize(
    "unusable",
    ["relative", "/no/such/place", "/etc/hostname", "/opt/with space", "/opt/é", "/proc"],
)
def test_a_temporary_directory_that_cannot_be_used_is_left_alone(monkeypatch, unusable):
    monkeypatch.setenv("TMPDIR", unusable)
    assert str(environment.temporary_directory()) in environment.TEMPORARY
    assert "TMPDIR" not in environment.composed()


def test_a_long_temporary_directory_is_left_alone(monkeypatch, tmp_path):
    place = tmp_path / ("x" * 40)
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    assert str(environment.temporary_directory()) in environment.TEMPORARY


def test_no_place_for_temporary_files_is_one_sentence(monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(environment, "TEMPORARY", ("/proc", "/no/such/place"))
    with pytest.raises(LabError, match="None of /proc, /no/such/place") as caught:
        environment.temporary_directory()
    assert "TMPDIR" in caught.value.cure


def test_directories_of_a_user_are_full_paths_and_of_nobody_a_sentence(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLACKSTART_STATE", "here")
    assert environment.user_directory("BLACKSTART_STATE", Path.home) == tmp_path / "here"
    monkeypatch.delenv("BLACKSTART_STATE")
    with pytest.raises(LabError, match="no home directory") as caught:
        environment.user_directory("BLACKSTART_STATE", lambda: Path("~/x"))
    assert "BLACKSTART_STATE" in caught.value.cure


def test_the_composed_environment_is_in_force_for_a_while_only(monkeypatch):
    monkeypatch.setenv("ANSIBLE_STRATEGY", "mitogen_linear")
    with environment.in_force():
        assert "ANSIBLE_STRATEGY" not in os.environ
        assert os.environ["LC_ALL"] == "C.UTF-8"
    assert os.environ["ANSIBLE_STRATEGY"] == "mitogen_linear"


def lab(*words, cwd=None, **variables):
    """Run `lab`, with `variables` in the environment."""
    return subprocess.run(
        [sys.executable, "-m", "lab", *words],
        env={**os.environ, **variables},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONWARNINGS": "error"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": ""},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"LC_ALL": "it_IT.UTF-8"},
        {"TERM": "dumb", "COLUMNS": "10", "NO_COLOR": "1"},
        {"HOME": "/nonexistent", "TZ": "Nowhere/At all"},
        {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nonexistent"},
        {"ALL_PROXY": "socks5://127.0.0.1:9", "HTTPS_PROXY": "socks5h://127.0.0.1:9"},
    ],
    ids=" ".join,
)
def test_settings_of_the_users_python_and_terminal_change_nothing(tmp_path, variables):
    state = str(tmp_path / "zustände")
    done = lab("status", "--name", "nosuchlab", **variables, BLACKSTART_STATE=state)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr
    done = lab("preflight", "--set", "lab_profile=ü…", **variables, BLACKSTART_STATE=state)
    assert done.returncode == 1
    # Without an engine on this machine it is one of two problems.
    assert "There is no timer profile '" in " ".join(done.stderr.split())


def test_pythonpath_brings_no_other_yaml(tmp_path):
    (tmp_path / "yaml.py").write_text("raise SystemExit('another yaml')")
    done = lab("preflight", "--set", "lab_profile", PYTHONPATH=str(tmp_path))
    assert "error: --set lab_profile has no value." in done.stderr


def test_a_removed_directory_is_no_place_to_fail(tmp_path):
    (tmp_path / "here").mkdir()
    script = f"rmdir {tmp_path}/here; exec {sys.executable} -m lab preflight --set x"
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path / "here", capture_output=True, text=True, check=False
    )
    assert "error: --set x has no value." in done.stderr


@pytest.mark.parametrize(
    ("redirected", "code"), [(">&-", 1), (">&- 2>&-", 1), ("<&-", 1), ("| true", 0)]
)
def test_closed_streams_and_readers_that_are_gone(redirected, code):
    script = f"{sys.executable} -m lab status --name nosuchlab {redirected}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
