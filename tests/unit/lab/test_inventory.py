from pathlib import Path

import pytest
import yaml

from lab.config import inventory
from lab.config.settings import Settings, checked_name
from lab.console.errors import LabError

EMBEDDED = Path(__file__).parents[3] / "inventories" / "embedded"


@pytest.fixture
def write(tmp_path):
    def write(servers=3, workers=1, **variables):
        children = {
            "servers": {"hosts": {f"server-{n + 1}": None for n in range(servers)}},
            "workers": {"hosts": {f"worker-{n + 1}": None for n in range(workers)}},
        }
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": children}}))
        (tmp_path / "group_vars").mkdir(exist_ok=True)
        (tmp_path / "group_vars" / "all.yml").write_text(yaml.safe_dump(variables))
        return tmp_path

    return write


def test_embedded_inventory_is_the_reference_of_all_settings():
    variables = yaml.safe_load((EMBEDDED / "group_vars" / "all.yml").read_text())
    assert variables == Settings().model_dump()


def test_embedded_inventory_has_three_servers_and_a_worker():
    hosts = inventory.load(EMBEDDED).hosts
    assert list(hosts.items()) == [
        ("server-1", "server"),
        ("server-2", "server"),
        ("server-3", "server"),
        ("worker-1", "worker"),
    ]


@pytest.mark.parametrize("servers", [0, 2, 4])
def test_even_number_of_servers_is_refused(write, servers):
    with pytest.raises(LabError, match=f"{servers} servers") as caught:
        inventory.load(write(servers=servers))
    assert str(servers + 1) in caught.value.cure


def test_all_wrong_settings_are_told_at_once(write):
    with pytest.raises(LabError) as caught:
        inventory.load(
            write(lab_nmae="x", lab_provider="cloud", lab_subnet="8.8.8.0/24"),
            providers=["container"],
        )
    for word in ("lab_nmae", "is lab_name meant?", "lab_provider", "lab_subnet"):
        assert word in caught.value.message


def test_variables_of_ansible_itself_are_left_alone(write):
    assert inventory.load(write(ansible_user="pi")).settings == Settings()


def test_overrides_win(write):
    loaded = inventory.load(write(lab_profile="thesis"), {"lab_profile": "floor"})
    assert loaded.settings.lab_profile == "floor"


@pytest.mark.parametrize("name", ["Lab", "-lab", "lab-", "", "a" * 21, "lab_1", "lab 1"])
def test_names_that_no_container_may_have(write, name):
    with pytest.raises(LabError, match="lab_name"):
        inventory.load(write(lab_name=name))


@pytest.mark.parametrize("name", ["l", "a1", "a" * 20])
def test_names_that_a_lab_may_have(write, name):
    assert inventory.load(write(lab_name=name)).settings.lab_name == name
    assert checked_name(name) == name


@pytest.mark.parametrize("host", ["Server_1", "server_1", "-a", "a.", "a" * 64])
def test_host_names_that_kubernetes_refuses(tmp_path, write, host):
    directory = write()
    groups = {"servers": {"hosts": {host: None}}}
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}))
    with pytest.raises(LabError, match=host) as caught:
        inventory.load(directory)
    assert "lower-case" in caught.value.cure


@pytest.mark.parametrize(
    "hosts", ["servers: [a]", "servers: {hosts: [a]}", "servers: {hosts: {a: 1}}", "[a]"]
)
def test_hosts_that_are_no_mapping(write, hosts):
    directory = write()
    (directory / "hosts.yml").write_text(f"all: {{children: {{{hosts}}}}}")
    with pytest.raises(LabError, match=r"hosts\.yml"):
        inventory.load(directory)


def test_variables_of_hosts_are_kept(write):
    directory = write()
    groups = {"servers": {"hosts": {"a": {"ansible_host": "192.0.2.1"}}}}
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}))
    assert inventory.load(directory).variables == {"a": {"ansible_host": "192.0.2.1"}}


def test_missing_file_is_named(tmp_path):
    with pytest.raises(LabError, match=r"hosts\.yml"):
        inventory.load(tmp_path)


def test_broken_yaml_is_named(write):
    directory = write()
    (directory / "hosts.yml").write_text("all: [")
    with pytest.raises(LabError, match="no valid YAML"):
        inventory.load(directory)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("lab_name", "A", "lab_name: is no name of a lab: a name has 1 to 20 lower-case letters"),
        ("lab_name", "a\n", "lab_name: is no name of a lab"),
        ("lab_name", 7, "lab_name: must be text, where need be in quotes (it is 7)"),
        ("lab_kubernetes_version", "v1.34", "must be a release such as v1.34.3 (it is 'v1.34')"),
        ("lab_k3s_version", "stabel", "or a channel: stable, latest, v1.34 (it is 'stabel')"),
        ("lab_distribution", "k8s", "must be one of: 'auto', 'k3s' or 'kubeadm' (it is 'k8s')"),
    ],
)
def test_a_wrong_setting_is_told_in_words_of_the_kit(key, value, says):
    with pytest.raises(LabError) as caught:
        inventory.load(EMBEDDED, {key: value})
    assert says in caught.value.message
    assert "pattern" not in caught.value.message
