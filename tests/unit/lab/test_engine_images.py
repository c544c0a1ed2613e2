"""An archive that the Docker engine is given."""

from types import SimpleNamespace

import pytest
import requests

from lab.console.errors import LabError
from lab.providers.container import engine_images


class Engine:
    """An engine that takes its time."""

    def __init__(self, needs_s):
        self.api = SimpleNamespace(timeout=120)
        self.images = self
        self._needs_s = needs_s

    def load(self, _file):
        if self._needs_s > self.api.timeout:
            raise requests.ReadTimeout("Read timed out.")

    def get(self, _name):
        """Have every image."""


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "image.tar"
    path.write_bytes(b"")
    return path


def test_an_engine_may_unpack_an_image_for_as_long_as_the_step_says(archive):
    engine = Engine(needs_s=460)
    engine_images.load(engine, archive, "blackstart/node:1", limit_s=900)
    assert engine.api.timeout == 120


def test_an_engine_that_takes_longer_is_said_to_be_slow(archive):
    engine = Engine(needs_s=1000)
    with pytest.raises(LabError) as raised:
        engine_images.load(engine, archive, "blackstart/node:1", limit_s=900)
    assert raised.value.cure.startswith("It did not within 900 s")
    assert engine.api.timeout == 120
