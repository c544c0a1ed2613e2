"""Whatever is wrong with an inventory or a setting, the user sees one sentence and a cure."""

import shutil

import pytest
import yaml
from fake_kit import is_told
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab.commands.options import EMBEDDED

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=80),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(max_size=9), inner)
    ),
    max_leaves=6,
)
ODD = [
    b"",
    b"\0",
    b"\xff\xfe\0",
    b"!!bool x",
    b"!!int x",
    b"!!timestamp x",
    b"!!python/object/apply:os.getcwd []",
    b"&a [*a]",
    b"a: &a {b: *a}",
    b"2026-13-45",
    b"? [a, {b: c}]\n: d",
    b"all: 1\n---\nall: 2",
    b"all: {}\nall: {}",
    b"[" * 3000,
    b"{1: {2: 3}}",
    b"all: {children: }",
    b"all: {children: {servers: {hosts: {1: , on: , 2026-01-01: }}}}",
    b"all: {children: {servers: {hosts: {a: }}, workers: {hosts: {a: }}}}",
    b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\n"
    b"d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nlab_name: [*e,*e,*e,*e]\n"
    b"all: [*e,*e,*e,*e]",
    b"x: " + b"y" * (2 << 20),
]


@st.composite
def damaged(draw, file):
    """Return bytes that stand in the place of a good YAML file."""
    good = (EMBEDDED / file).read_bytes()
    kind = draw(st.sampled_from(["cut", "insert", "value", "binary", "odd"]))
    if kind == "odd":
        return draw(st.sampled_from(ODD))
    if kind == "binary":
        return draw(st.binary(max_size=200))
    if kind == "value":
        return yaml.safe_dump(put(yaml.safe_load(good), draw)).encode(errors="surrogatepass")
    at, end = sorted((draw(st.integers(0, len(good))), draw(st.integers(0, len(good)))))
    return good[:at] + (draw(st.binary(max_size=9)) + good[at:] if kind == "insert" else good[end:])


def put(tree, draw):
    """Put a value of any kind somewhere into `tree`."""
    if not isinstance(tree, dict) or not tree or draw(st.integers(0, 3)) == 0:
        return draw(VALUES)
    key = draw(st.sampled_from(sorted(tree)))
    return {**tree, key: put(tree[key], draw)}


EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("file", ["hosts.yml", "group_vars/all.yml"])
@pytest.mark.parametrize("verb", ["preflight", "up"])
def test_damaged_inventories(kit, tmp_path, verb, file):
    shutil.copytree(EMBEDDED, tmp_path / "inventory")

    @EXAMPLES
    @given(damaged(file))
    def run(content):
        (tmp_path / "inventory" / file).write_bytes(content)
        try:
            done = kit(verb, "-i", str(tmp_path / "inventory"))
        except pytest.skip.Exception:
            return  # What was changed means nothing, and `up` would have begun.
        is_told(done, file, "machine can't hold", "timer profile")

    run()


@pytest.mark.parametrize("content", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("file", ["hosts.yml", "group_vars/all.yml"])
def test_odd_inventories(kit, tmp_path, file, content):
    shutil.copytree(EMBEDDED, tmp_path / "inventory")
    (tmp_path / "inventory" / file).write_bytes(content)
    done = kit("preflight", "-i", str(tmp_path / "inventory"))
    is_told(done, file, "machine can't hold")
    assert len(done.stderr) < 12000


@EXAMPLES
@given(
    st.sampled_from(["lab_name", "lab_subnet", "lab_k3s_mirror", "lab_profile", "lab_x", "", "x"]),
    st.text(max_size=60) | st.sampled_from([text.decode(errors="replace") for text in ODD[:18]]),
)
@example("lab_k3s_mirror", "http://[")
@example("lab_k3s_mirror", "https://" + "x" * 300)
@example("lab_subnet", "10.0.0.0/33")
def test_damaged_settings(kit, key, value):
    done = kit("preflight", f"--set={key}={value}")
    is_told(done, "--set", key, "machine can't hold")
