import json
import os
import shlex
import signal

import pytest

from lab.config.inventory import Inventory
from lab.config.settings import Settings
from lab.console.progress import Silent
from lab.nodes.node import Node, Ssh
from lab.provisioning import playbook
from lab.provisioning.playbook import _failure, _interruptible, _Listener


@pytest.fixture
def listener():
    with Silent().step("x") as step:
        yield _Listener(step=step)


def event(kind, **data):
    return {"event": kind, "event_data": data}


def test_news_are_play_and_task(listener):
    listener(event("playbook_on_play_start", play="Nodes"))
    listener(event("playbook_on_task_start", task="Boot"))
    assert listener.step.news == "Nodes: Boot"


def test_checks_that_ansible_adds_are_no_news(listener):
    listener(event("playbook_on_task_start", task="Boot"))
    listener(event("playbook_on_task_start", task="Validating arguments against arg spec 'main'"))
    assert listener.step.news.endswith("Boot")


def test_changes_are_counted_by_node_and_told_by_task(listener):
    listener(event("runner_on_ok", task="Write", host="a", res={"changed": True}))
    listener(event("runner_on_ok", task="Write", host="b", res={"changed": True}))
    listener(event("runner_on_ok", task="Look", host="b", res={"changed": False}))
    listener(event("playbook_on_stats", changed={"a": 1, "b": 1}))
    assert list(listener.changed_tasks) == ["Write"]
    assert listener.changed == {"a": 1, "b": 1}


@pytest.mark.parametrize(("check", "told"), [(True, ["Restart", "Ask"]), (False, [])])
def test_in_check_mode_what_can_not_tell_what_it_would_change_would_run(listener, check, told):
    listener.check = check
    skipped = {
        "Restart": '{"changed": false, "msg": "Check mode is not supported for this task."}',
        "Ask": '{"changed": true, "msg": "Command would have run if not in check mode"}',
        "Not for this node": '{"changed": false, "skip_reason": "Conditional result was False"}',
    }
    for task, result in skipped.items():
        line = f"skipping: [a] => {result}"
        listener({**event("runner_on_skipped", task=task, host="a"), "stdout": line})
    assert list(listener.changed_tasks) == told


def test_failure_has_task_node_and_what_it_printed(listener):
    result = {"msg": "non-zero return code", "stderr": "etcd: no leader", "stdout": ""}
    listener(event("runner_on_failed", task="Join", host="server-2", res=result))
    error = _failure("site.yml", "failed", listener, "", 900)
    assert error.message == "The task 'Join' of site.yml failed on server-2."
    assert "etcd: no leader" in error.evidence
    assert "lab up" in error.cure


def test_failures_that_the_playbook_expects_are_none(listener):
    listener(event("runner_on_failed", task="Ask", host="a", res={}, ignore_errors=True))
    assert not listener.failures


def test_items_of_a_loop_that_failed_are_told(listener):
    items = [{"failed": False, "msg": "fine"}, {"failed": True, "msg": "no space left"}]
    listener(event("runner_on_failed", task="Copy", host="a", res={"msg": "", "results": items}))
    assert _failure("site.yml", "failed", listener, "", 900).evidence == "no space left"


def test_the_node_that_failed_first_is_told_with_its_last_words(listener):
    listener(event("runner_on_failed", task="Restart", host="server-1", res={"msg": "rc 1"}))
    listener(event("runner_on_failed", task="Restart", host="server-2", res={"msg": "refused"}))
    listener(event("runner_on_failed", task="Say why", host="server-1", res={"msg": "no quorum"}))
    error = _failure("site.yml", "failed", listener, "", 900)
    assert "'Say why'" in error.message
    assert "server-1" in error.message
    assert error.evidence == "no quorum"


def test_long_evidence_keeps_its_beginning_and_its_end(listener):
    text = "reason\n" + "x" * 20000 + "\nnewest"
    listener(event("runner_on_failed", task="Join", host="a", res={"msg": text}))
    evidence = _failure("site.yml", "failed", listener, "", 900).evidence
    assert evidence.startswith("reason")
    assert evidence.endswith("newest")
    assert len(evidence) < 9000


def test_time_out_has_the_last_lines(listener):
    output = "\n".join(f"line {n}" for n in range(50))
    error = _failure("site.yml", "timeout", listener, output, 900)
    assert "900 s" in error.message
    assert error.evidence.splitlines()[0] == "line 30"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_kept_until_ansible_has_ended(number):
    # A job in the background ignores Ctrl-C, and what is ignored stays so.
    given = signal.signal(number, signal.default_int_handler)
    try:
        with _interruptible() as caught:
            os.kill(os.getpid(), number)
            assert caught == [number]
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, given)


@pytest.fixture
def playbooks(tmp_path, monkeypatch):
    """Have a folder with a space in its name that holds one playbook for this machine."""
    folder = tmp_path / "my play books"
    folder.mkdir()
    (folder / "ansible.cfg").write_text("[defaults]\ngathering = explicit\n")
    monkeypatch.setattr(playbook, "PLAYBOOKS", folder)
    return folder


@pytest.mark.parametrize("locale", ["it_IT.UTF-8", "C"])
def test_a_run_is_the_same_whatever_the_users_environment(playbooks, monkeypatch, locale):
    for name, value in {
        "ANSIBLE_VAULT_PASSWORD_FILE": "/nonexistent/.vault_pass",
        "ANSIBLE_STRATEGY": "mitogen_linear",
        "ANSIBLE_BECOME_ASK_PASS": "1",
        "LD_PRELOAD": "/nonexistent/lib.so",
        "PYTHONPATH": str(playbooks / "of another project"),
        "PYTHONWARNINGS": "error",
        "TMPDIR": str(playbooks),
        "LC_ALL": locale,
        "LANG": locale,
    }.items():
        monkeypatch.setenv(name, value)
    other = playbooks / "of another project"
    other.mkdir()
    (other / "yaml.py").write_text("raise SystemExit('another yaml')")
    (playbooks / "hosts.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}")
    (playbooks / "one.yml").write_text(
        "- hosts: localhost\n"
        "  gather_facts: false\n"
        "  tasks:\n"
        "    - ansible.builtin.debug: {msg: '{{ word }}'}\n"
        "      changed_when: true\n"
    )
    recap = playbook.play(
        "one.yml",
        inventory=Inventory(directory=playbooks, settings=Settings(), hosts={}),
        nodes=[],
        variables={"word": "grün"},
        progress=Silent(),
        title="One",
        limit_s=60,
    )
    assert recap.changed == {"localhost": 1}
    assert recap.untold == 0
    ((task, seconds),) = recap.durations
    assert task == "localhost: ansible.builtin.debug"
    assert seconds > 0


def test_a_node_that_was_removed_is_in_no_group_and_the_rest_stays(tmp_path):
    directory = tmp_path / "inventory"
    (directory / "group_vars").mkdir(parents=True)
    (directory / "hosts.yml").write_text(
        "all:\n"
        "  vars: {site: x}\n"
        "  children:\n"
        "    servers: {hosts: {a: , b: {ansible_port: 7}}}\n"
        "    racks: {children: {left: {hosts: {b: , c: }}, right: }}\n"
    )
    (tmp_path / "private").mkdir()
    inventory = Inventory(
        directory=directory, settings=Settings(), hosts={}, removed=frozenset({"b"})
    )
    hosts = playbook._hosts(inventory, tmp_path / "private")
    assert json.loads(hosts.read_text()) == {
        "all": {
            "vars": {"site": "x"},
            "children": {
                "servers": {"hosts": {"a": None}},
                "racks": {"children": {"left": {"hosts": {"c": None}}, "right": None}},
            },
        }
    }
    assert (hosts.parent / "group_vars").samefile(directory / "group_vars")


def test_nodes_are_told_to_ansible_with_the_labs_own_keys(tmp_path):
    ssh = Ssh(key=tmp_path / "key", known_hosts=tmp_path / "known")
    node = Node(name="server-1", cluster="x", role="server", address="10.87.0.11", ssh=ssh)
    told = playbook._addresses([node])["all"]["children"]
    assert told["workers"]["hosts"] == {}
    host = told["servers"]["hosts"]["server-1"]
    assert host["ansible_host"] == host["lab_node_ip"] == "10.87.0.11"
    words = shlex.split(host["ansible_ssh_common_args"])
    assert f'UserKnownHostsFile="{tmp_path / "known"}"' in words
    assert "StrictHostKeyChecking=yes" in words
