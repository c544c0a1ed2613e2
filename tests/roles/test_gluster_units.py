"""What a change of the lab's servers does to the services of GlusterFS on a node: nothing."""

from pathlib import Path

import jinja2
import pytest
import yaml

ROLE = Path(__file__).parents[2] / "playbooks/roles/storage"
MOUNT = "/etc/systemd/system/blackstart-storage.service"
SERVERS = "/etc/blackstart/volume_servers.env"
KNOWN = {"storage_directory": "/var/lib/blackstart/gluster", "storage_gluster_volume": "v"}


def tasks():
    return {task["name"]: task for task in yaml.safe_load((ROLE / "tasks/gluster.yml").read_text())}


def test_the_units_file_is_the_same_for_any_servers():
    text = (ROLE / "templates/blackstart-storage.service.j2").read_text()
    one, other = (
        jinja2.Template(text, undefined=jinja2.StrictUndefined).render(KNOWN, _storage_servers=them)
        for them in (["10.0.0.11"], ["10.0.0.11", "10.0.0.14"])
    )
    assert one == other
    assert f"EnvironmentFile={SERVERS}" in one


def state(task, **known):
    """Return what the unit of `task` is to be: started or restarted."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    environment.filters["intersect"] = lambda left, right: [one for one in left if one in right]
    environment.tests["changed"] = lambda result: bool(result["paths"])
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    known["_storage_mounting"] = variables["_storage_mounting"]
    return environment.from_string(task["node_script"]["cmd"]).render(known).split()[1]


@pytest.mark.parametrize(
    ("paths", "wanted"),
    [([], "started"), ([SERVERS], "started"), ([SERVERS, MOUNT], "restarted")],
)
def test_other_servers_end_nothing_that_writes(paths, wanted):
    task = tasks()["Mount the volume on every node"]
    assert state(task, __storage_files={"paths": paths}) == wanted


@pytest.mark.parametrize(
    ("rc", "paths", "wanted"),
    [(1, [MOUNT], "restarted"), (1, [], "started"), (0, [MOUNT], "started")],
)
def test_a_replica_does_not_end_for_another_configuration(rc, paths, wanted):
    task = tasks()["Run GlusterFS' daemon on the servers"]
    files, volume = {"paths": paths}, {"rc": rc}
    assert state(task, __storage_files=files, __storage_volume=volume) == wanted
