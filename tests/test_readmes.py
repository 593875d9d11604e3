"""Every block in the template's and in a service's Markdown has a test that does what it says."""

from pathlib import Path

import pytest
from bakery import SOURCES, TEMPLATE
from markdown import blocks

# Blocks by the heading above them, and which test does what they say. Those at last need what
# cannot be had everywhere (an engine for containers, a cluster): their parts are checked there.
OF_TEMPLATE = {
    "cookiecutter-fastapi-events": "tests/test_first_run.py",
    "Your own service": "test_a_service_is_baked_as_the_readme_says",
    "Taking a newer version": "test_a_newer_version_is_taken_as_the_readme_says",
    "Work on the template": ".ci/run",
}
OF_SERVICE = {
    "Run it": "test_a_service_runs_as_its_readme_says",
    "Operator pages": "test_the_operator_pages_are_turned_on_as_the_readme_says",
    "Traces": "test_a_service_runs_as_its_readme_says",
    "Where things are": "test_the_places_that_the_readme_names_are_there",
    "Policies, delays, headers": "test_policies_delays_and_headers_work_as_the_readme_says",
    "Many at once": "test_many_events_are_handled_at_once_as_the_readme_says",
    "When something waits": f"{SOURCES.name}/tests/command_line/test_runbook.py",
    "Add a feature": "test_features_are_added_as_the_readme_says",
    "Remove the sample features": "tests/test_without_samples.py",
    "Add a command, its event and a subscriber": "tests/test_recipe.py",
    "Put it into production": "tests/test_container.py",
    "Kubernetes": "tests/test_kubernetes.py",
}


@pytest.mark.parametrize(
    ("file", "known"),
    [
        (TEMPLATE / "README.md", OF_TEMPLATE),
        (TEMPLATE / "CONTRIBUTING.md", {}),
        (TEMPLATE / "CHANGELOG.md", {}),
        (SOURCES / "README.md", OF_SERVICE),
        (SOURCES / "AGENTS.md", {}),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_a_test_does_what_each_block_says(file: Path, known: dict[str, str]) -> None:
    files = (TEMPLATE / "tests").glob("test_readme*.py")
    tests = "".join(each.read_text("utf-8") for each in files)
    for block in blocks(file):
        done_by = known[block.heading]
        assert f"def {done_by}(" in tests or (TEMPLATE / done_by).is_file(), block.heading
