"""What the tests of wiring start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.building_blocks.written_features import WrittenFeatures


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WrittenFeatures]:
    """A package of features that can be imported, until the test is over."""
    monkeypatch.syspath_prepend(tmp_path)
    features = WrittenFeatures(tmp_path)
    yield features
    features.forget()
