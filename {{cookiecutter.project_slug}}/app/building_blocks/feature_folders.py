"""The folders of the features: whatever is in one of them belongs to the service."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from traceback import format_exception_only
from types import ModuleType
from typing import NamedTuple

from app.building_blocks.errors import WiringError
from app.building_blocks.feature import Feature


class FeatureModule(NamedTuple):
    """`app.features.orders.api`, and its file, for people: `app/features/orders/api.py`."""

    name: str
    file: str


class FeatureFolder(NamedTuple):
    """A package with a module `feature`, where `variable` is the feature."""

    package: str
    variable: str

    @property
    def modules(self) -> Iterator[FeatureModule]:
        """All that can be imported, by name. A `__main__` is a program of its own."""
        for path in map(Path, sys.modules[self.package].__path__):
            for file in sorted(path.rglob("*.py")):
                inner = file.relative_to(path)
                names = inner.with_suffix("").parts
                if names[-1] != "__main__" and all(name.isidentifier() for name in names):
                    parts = [name for name in names if name != "__init__"]
                    shown = self.package.replace(".", "/") + f"/{inner.as_posix()}"
                    yield FeatureModule(".".join([self.package, *parts]), shown)


def folders_of(features: Sequence[Feature]) -> list[FeatureFolder]:
    """Where the features are; one that a test makes in a module of its own is nowhere."""
    folders: dict[str, FeatureFolder] = {}
    for name, module in list(sys.modules.items()):
        if name.endswith(".feature"):
            package = name.removesuffix(".feature")
            for variable, value in vars(module).items():
                if isinstance(value, Feature) and value in features:
                    folders.setdefault(package, FeatureFolder(package, variable))
    return list(folders.values())


def import_features(features: Sequence[Feature]) -> None:
    """See to it that every table of the features is known, as migrations need it.

    Raises WiringError when a folder is not in FEATURES or a module cannot be imported.
    """
    problems = list(problems_of_folders(features))
    if problems:
        raise WiringError(*problems)


def problems_of_folders(features: Sequence[Feature]) -> Iterator[str]:
    """One sentence for each folder that is not in FEATURES and each module that does not work.

    A module that nothing imports is imported here. What is in a feature's folder is meant for the
    service, and only then its commands and functions can be missed in `feature.py`, and its tables
    be seen by migrations. One that asks for a package that is not installed here is passed over,
    as a test that asks for pytest: nothing that runs here needs it.
    """
    yield from _forgotten_features(features)
    yield from _broken_modules(features)


def _forgotten_features(features: Sequence[Feature]) -> Iterator[str]:
    for register in _registers(features):
        known = {folder.package for folder in folders_of(features)}
        for path in map(Path, register.__path__):
            for file in sorted(path.glob("*/feature.py")):
                package = f"{register.__name__}.{file.parent.name}"
                if package not in known:
                    folder, above = package.replace(".", "/"), register.__name__.replace(".", "/")
                    yield (
                        f"{folder} is not in FEATURES: add its feature to {above}/__init__.py, "
                        "or delete the folder."
                    )


def _registers(features: Sequence[Feature]) -> Iterator[ModuleType]:
    """The package `app.features`, unless only some of its FEATURES are to run."""
    for name, module in list(sys.modules.items()):
        if f".{name}".endswith(".features") and hasattr(module, "__path__"):
            registered = vars(module).get("FEATURES")
            if registered is not None and all(feature in features for feature in registered):
                yield module


def _broken_modules(features: Sequence[Feature]) -> Iterator[str]:
    for folder in folders_of(features):
        for module in folder.modules:
            try:
                import_module(module.name)
            except (Exception, SystemExit) as error:
                if not _wants_another_package(error, folder):
                    reason = format_exception_only(error)[-1].splitlines()[0]
                    yield f"{module.file} cannot be imported ({reason}): mend it, or delete it."


def _wants_another_package(error: BaseException, folder: FeatureFolder) -> bool:
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return False
    return error.name.partition(".")[0] != folder.package.partition(".")[0]
