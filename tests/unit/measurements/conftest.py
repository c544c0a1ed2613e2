import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import histories


@pytest.fixture
def story(tmp_path: Path) -> Iterator[histories.Story]:
    written = histories.Story(tmp_path / "history.jsonl")
    yield written
    written.recorder.close()
