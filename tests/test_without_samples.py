"""The sample features, and the tests that need them, can be removed as the README says."""

import ast
from collections.abc import Iterator
from pathlib import Path

from bakery import SOURCES, bake
from make import install, make
from markdown import blocks
from service import check, run
from shell import shell

ONE_FEATURE = '''"""The features of this service. The folder list is the product."""

from app.features.shipments.feature import shipments

FEATURES = (shipments,)
'''
# Nothing in there asks for a sample over HTTP; what imports one is found without running it.
NOT_OVER_HTTP = ("building_blocks", "guarantees", "memory_broker", "properties", "scaffold")


def test_what_is_left_passes_its_checks(tmp_path: Path) -> None:
    service = bake(tmp_path / "out")
    install(service)
    check(service, "scaffold", "feature", "shipments")
    (service / "app/features/__init__.py").write_text(ONE_FEATURE, "utf-8")
    section = "Remove the sample features"
    [block] = [found for found in blocks(service / "README.md") if found.heading == section]
    shell(service, block.text)

    [migration] = (service / "migrations/versions").glob("*_without_the_samples.py")
    upgrade, _, _ = migration.read_text("utf-8").partition("def downgrade")
    assert all(f'op.drop_table("{table}")' in upgrade for table in ("orders", "payments"))
    for target in ("lint", "types", "schema"):
        done = make(service, target)
        assert done.returncode == 0, done.stdout[-6000:]
    ignored = [f"--ignore=tests/{folder}" for folder in NOT_OVER_HTTP]
    tests = run(service, "pytest", "-q", "-p", "no:cacheprovider", *ignored)
    assert tests.returncode == 0, tests.stdout[-6000:]


def test_no_test_of_any_option_imports_what_is_removed() -> None:
    listed = (SOURCES / "tests/sample_features.txt").read_text("utf-8").split()
    removed = {SOURCES / path for path in listed}
    assert all(path.exists() for path in removed)
    files = {file: removed.isdisjoint([file, *file.parents]) for file in SOURCES.rglob("*.py")}
    gone = {module_of(file) for file, is_left in files.items() if not is_left}
    missed = [
        file.relative_to(SOURCES).as_posix()
        for file, is_left in files.items()
        if is_left and file.is_relative_to(SOURCES / "tests") and gone & set(imported(file))
    ]
    assert not missed, "put them into tests/sample_features.txt"


def module_of(file: Path) -> str:
    """The dotted name by which a file is imported."""
    return ".".join(file.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, and whatever it imports from one."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)
