"""A service takes a newer template by cruft and keeps what its owner has made of it."""

import json
from pathlib import Path

import pytest
from bakery import SOURCES, contents
from clone import copy_template, git
from service import check
from updating import commit, cruft, update, url_of

SLUG = SOURCES.name
# What the previous version was like, as pairs of (now, then) for one file each.
THEN = {
    "app/building_blocks/retry_policy.py": ("exponential", "growing"),
    "pyproject.toml": ('"uvicorn>=0.54"', '"uvicorn>=0.53"'),
    "app/features/payments/domain.py": ("1000.00", "900.00"),
}
NEW_FILE, OLD_FILE = "app/building_blocks/routes.py", "app/building_blocks/gone.py"
OWNERS_FEATURE = "app/features/shipments/domain.py"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A repository of the template with two versions, tagged v1 and v2."""
    repository = copy_template(tmp_path / "template.git")
    sources = repository / SLUG
    git(repository, "init", "--quiet", "--initial-branch=main")
    new = {path: (sources / path).read_bytes() for path in [*THEN, NEW_FILE]}
    for path, (now, then) in THEN.items():
        text = new[path].decode()
        assert now in text, f"{path} does not say {now!r} any more: choose another change"
        (sources / path).write_text(text.replace(now, then), "utf-8")
    (sources / NEW_FILE).unlink()
    (sources / OLD_FILE).write_text('"""What the new version does without."""\n', "utf-8")
    commit(repository, "v1")
    for path, content in new.items():
        (sources / path).write_bytes(content)
    (sources / OLD_FILE).unlink()
    commit(repository, "v2")
    return repository


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    """A service of version 1, committed by its owner."""
    answers = json.dumps({"database": "postgresql", "broker": "rabbitmq", "author": "Ann's"})
    create = ("create", url_of(template), "--checkout", "v1", "--no-input")
    cruft(tmp_path, *create, "--extra-context", answers)
    folder = tmp_path / "my-service"
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "first")
    # As a team links it that does not pin a version.
    linked = json.loads((folder / ".cruft.json").read_text("utf-8"))
    (folder / ".cruft.json").write_text(json.dumps(linked | {"checkout": None}, indent=2), "utf-8")
    commit(folder, "linked")
    return folder


def test_a_service_of_an_older_version_is_told_of_the_newer(service: Path) -> None:
    assert (service / ".cruft.json").exists()
    assert "out of date" in cruft(service, "check", expected=1)
    assert cruft(service, "diff").strip() == ""


def test_an_update_brings_what_is_new_and_keeps_what_the_owner_did(
    service: Path, template: Path
) -> None:
    edited = owner_edits(service)
    update(service)
    assert not list(service.rglob("*.rej")), "nothing was in each other's way"
    for path, (now, _) in THEN.items():
        assert now in (service / path).read_text("utf-8"), path
    assert (service / NEW_FILE).exists()
    assert not (service / OLD_FILE).exists()
    for path, line in edited.items():
        assert line in (service / path).read_text("utf-8"), path
    cruft(service, "check")
    shown = cruft(service, "diff")
    assert all(line in shown for path, line in edited.items() if path != OWNERS_FEATURE), shown
    check(service, "compileall", "-q", "app")
    kept = json.loads((service / ".cruft.json").read_text("utf-8"))
    assert kept["context"]["cookiecutter"]["author"] == "Ann's"
    assert kept["commit"] == git(template, "rev-parse", "v2").strip()


def test_a_service_that_nobody_edited_becomes_what_a_new_bake_is(
    service: Path, template: Path, tmp_path: Path
) -> None:
    update(service)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    answers = json.dumps({"database": "postgresql", "broker": "rabbitmq", "author": "Ann's"})
    create = ("create", url_of(template), "--checkout", "v2", "--no-input")
    cruft(fresh, *create, "--extra-context", answers)
    assert without_git(service) == without_git(fresh / "my-service")


def test_an_edit_in_the_way_of_an_update_is_left_to_its_owner(service: Path) -> None:
    path = service / "app/features/payments/domain.py"
    _, then = THEN["app/features/payments/domain.py"]
    mine = path.read_text("utf-8").replace(then, "5000.00")
    path.write_text(mine, "utf-8")
    commit(service, "my own limit")
    told = update(service)
    assert path.read_text("utf-8").count("5000.00") == mine.count("5000.00")
    conflict = path.with_name("domain.py.rej").exists() or "<<<<<<<" in path.read_text("utf-8")
    assert conflict, told


def owner_edits(service: Path) -> dict[str, str]:
    """Change and add what owners do; gives a line of each file that must stay."""
    edits = {
        "README.md": "Call Ann when it hurts.",
        "app/features/payments/domain.py": "EXTRA_FEE = 1",
        "pyproject.toml": "# our own tools",
        OWNERS_FEATURE: '"""What goes out by post."""',
    }
    for path, line in edits.items():
        file = service / path
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text("utf-8") if file.exists() else ""
        file.write_text(f"{before}\n{line}\n".lstrip("\n"), "utf-8")
    commit(service, "ours")
    return edits


def without_git(folder: Path) -> dict[str, bytes]:
    return {
        path: content
        for path, content in contents(folder).items()
        if not path.startswith(".git/") and path != ".cruft.json"
    }
