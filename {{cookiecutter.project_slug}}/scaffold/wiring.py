"""Lines for a feature's table of contents, and the subscribers of other features."""

from pathlib import Path
from textwrap import indent

from scaffold.changes import Changes
from scaffold.names import RefusedError, check_feature
from scaffold.reading import result_of


def check_known(root: Path, feature: str) -> None:
    """Raises RefusedError, with the features that there are, unless this is one of them."""
    there = sorted(file.parent.name for file in root.glob("app/features/*/feature.py"))
    if feature in there:
        return
    check_feature(feature)
    raise RefusedError(
        f"There is no feature {feature!r} beside {', '.join(there) or 'nothing'}: "
        f"make feature NAME={feature} adds it."
    )


def wire(changes: Changes, feature: str, template: str) -> None:
    """Add the lines of a template to a feature's feature.py, or tell which they are."""
    path = f"app/features/{feature}/feature.py"
    found = result_of(changes.read(path), "Feature")
    lines = changes.filled(template, variable=found[0] if found else feature)
    if found:
        changes.merge(path, lines)
    else:
        tell(changes, path, lines)


def subscribe(changes: Changes, subscriber: str) -> None:
    """Let the feature `subscriber` handle the integration event that `changes` add to another."""
    folder, tests = f"app/features/{subscriber}", f"tests/features/{subscriber}"
    changes.words["subscriber"] = subscriber
    changes.merge(f"{folder}/subscribers.py", changes.filled("subscriber/subscribers"))
    wire(changes, subscriber, "subscriber/feature")
    make_package(changes, tests)
    test = f"{tests}/test_when_{changes.words['event']}.py"
    changes.create(test, changes.filled("subscriber/test_subscriber"))
    changes.next_steps.append(
        f"let {subscriber} act, by a command of its own: {folder}/subscribers.py"
    )


def make_package(changes: Changes, folder: str) -> None:
    """See to it that a folder of tests is a package, as pytest needs it here."""
    if not changes.exists(f"{folder}/__init__.py"):
        changes.create(f"{folder}/__init__.py", "")


def tell(changes: Changes, path: str, lines: str) -> None:
    """Leave `lines` to the owner, because their place in the file was not found."""
    changes.by_hand.append(f"add to {path}:\n{indent(lines.strip(), '    ')}")
