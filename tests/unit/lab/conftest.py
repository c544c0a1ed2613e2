import fake_kit
import pytest


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """Run a command with a provider that makes nothing, and an ssh that reaches nobody."""
    yield from fake_kit.started(tmp_path_factory)


@pytest.fixture(autouse=True)
def unnamed(monkeypatch):
    """Name no lab and no inventory, as the user's terminal may."""
    for variable in ("LAB_NAME", "LAB_INVENTORY"):
        monkeypatch.delenv(variable, raising=False)
