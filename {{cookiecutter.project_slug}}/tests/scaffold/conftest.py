"""A service without a feature, for the scaffold to work on."""

import shutil
from pathlib import Path

import pytest

from scaffold.features import REGISTER, add_feature

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with no more than the register of features, which is empty."""
    return _without_features(tmp_path)


@pytest.fixture(scope="module")
def shipping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with a feature, for tests that change nothing."""
    root = _without_features(tmp_path_factory.mktemp("shipping"))
    add_feature(root, "shipments").write()
    return root


def _without_features(folder: Path) -> Path:
    shutil.copy(PROJECT / "pyproject.toml", folder)
    register = folder / REGISTER
    register.parent.mkdir(parents=True)
    register.write_text('"""The features."""\n\nFEATURES = ()\n', "utf-8")
    return folder
