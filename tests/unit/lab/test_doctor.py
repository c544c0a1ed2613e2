"""`lab doctor`: a bundle whatever the lab answers, and nothing secret in it."""

import tarfile

import pytest

from lab.cluster import lab as labs
from lab.commands.look import doctor
from lab.console.errors import LabError
from lab.evidence import collection, inquiry
from lab.evidence.inquiry import Question
from lab.host.command import Result
from lab.providers.provider import NodeSet


def unpacked(directory):
    (archive,) = directory.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        return {
            name.partition("/")[2]: packed.extractfile(name).read().decode()
            for name in packed.getnames()
        }


def test_a_lab_whose_nodes_do_not_answer_still_gives_a_bundle(kit, tmp_path):
    for file in ("id_ed25519", "known_hosts"):
        directory = labs.StateDirectory("x").directory
        directory.mkdir(parents=True, exist_ok=True)
        (directory / file).write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nhidden")
    done = kit("doctor", "--name", "x", "--output", str(tmp_path))
    assert done.exit_code == 0, done.stderr
    assert "wrong: server-1 runs, but does not answer to SSH" in done.stdout
    files = unpacked(tmp_path)
    assert {"README.txt", "machine/kit.txt", "lab/status.json"} <= files.keys()
    assert "refused" in files["nodes/server-1/journal.txt"]
    assert not [name for name in files if name.startswith("cluster/")]
    assert "hidden" not in "".join(files.values())


def test_a_lab_that_is_not_there_is_no_error(kit, tmp_path, monkeypatch):
    monkeypatch.setattr(labs.registry, "provider", lambda name, lab, state, cache=None: Nothing())
    done = kit("doctor", "--name", "nolab", "--output", str(tmp_path))
    assert done.exit_code == 0, done.stderr
    assert "There is no lab 'nolab' on this machine." in done.stdout
    assert "machine/system.txt" in unpacked(tmp_path)


def test_what_nobody_foresaw_is_one_problem_more(kit, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("the engine speaks in tongues")

    monkeypatch.setattr(doctor, "find", fail)
    monkeypatch.setattr(doctor.preflight, "examine", fail)
    done = kit("doctor", "--name", "x", "--output", str(tmp_path))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("wrong: RuntimeError: the engine speaks in tongues") == 2
    assert "machine/system.txt" in unpacked(tmp_path)


def test_a_place_that_is_none_is_said_before_anything_is_asked(kit, tmp_path):
    done = kit("doctor", "--output", str(tmp_path / "nowhere"))
    assert done.exit_code == 1
    assert "is no directory" in done.stderr


def test_the_archive_is_this_users_alone(kit, tmp_path):
    assert kit("doctor", "--name", "nolab", "--output", str(tmp_path)).exit_code == 0
    (archive,) = tmp_path.iterdir()
    assert archive.stat().st_mode & 0o077 == 0


def test_a_question_that_fails_has_its_reason_as_the_answer():
    def ask():
        raise RuntimeError("the disk is gone")

    assert collection._answer(Question(file="x", ask=ask)) == (
        "no answer: RuntimeError: the disk is gone"
    )


class Nothing:
    """A provider that has made nothing."""

    def __getattr__(self, name):
        def refuse(*_):
            raise LabError(f"no {name} here", "Make one.")

        return refuse

    def list_nodes(self):
        return NodeSet()


class Server:
    """A node that answers as the test says."""

    def __init__(self, *answers):
        self.answers = dict(answers)

    def run(self, argv, **_):
        script = argv[-1]
        said = next((text for words, text in self.answers.items() if words in script), "")
        return Result(argv=tuple(argv), returncode=0, stdout=said, stderr="")


LISTED = """{"items": [
  {"type": "Opaque", "data": {"root-password": "aHVudGVyMg==", "user": "Z3JpZA=="}},
  {"type": "kubernetes.io/tls", "data": {"tls.crt": "cHVibGlj", "tls.key": "cHJpdmF0ZQ=="}},
  {"type": "Opaque"}
]}"""


def test_the_clusters_own_secrets_are_known_by_value():
    server = Server(("token", "K10ab::server:0123456789\n"), ("get secrets", LISTED))
    found = inquiry.secrets([server], server)
    assert {"hunter2", "private", "0123456789"} <= {*found}
    assert not {"public", "grid"} & {*found}


@pytest.mark.parametrize("answer", ["", "{", "[]", '{"items": null}', '{"kind": "x"}'])
def test_secrets_that_can_not_be_listed_are_none(answer):
    assert inquiry.secrets([], Server(("get secrets", answer))) == []
