import fake_kit
import pytest


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """Run a command with a provider that makes nothing, and an ssh that reaches nobody."""
    yield from fake_kit.started(tmp_path_factory)
