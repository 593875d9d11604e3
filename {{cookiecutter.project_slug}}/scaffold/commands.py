"""Adds a command to a feature: its handler, what happens by it, and what the world is told."""

import ast
import keyword
from collections.abc import Sequence
from pathlib import Path

from scaffold.changes import Changes
from scaffold.names import (
    METHODS,
    RefusedError,
    check_command,
    check_event,
    event_of,
    kebab,
    snake,
    with_article,
    words,
)
from scaffold.reading import classes, members, names, route_prefix
from scaffold.wiring import check_known, make_package, subscribe, tell, wire


def add_command(
    root: Path,
    feature: str,
    command: str,
    event: str = "",
    subscribers: Sequence[str] = (),
    aggregate: str = "",
    *,
    route: bool = True,
) -> Changes:
    """Plan the command and all that belongs to it; nothing is written yet. Raises RefusedError.

    Without a `route` it is for subscribers to send, and nobody can over HTTP.
    """
    check_known(root, feature)
    check_command(command)
    event = event or event_of(command)
    check_event(event, command)
    for subscriber in subscribers:
        check_known(root, subscriber)
    if feature in subscribers:
        raise RefusedError(f"{feature} cannot subscribe to itself: choose another feature.")
    folder = f"app/features/{feature}"
    changes = Changes(root, {"feature": feature, "topic": f"{kebab(feature)}.{kebab(event)}.v1"})
    changes.words |= _words_of_command(command, event)
    _refuse_known_classes(changes, folder, command, event, f"{event}IntegrationEvent")
    changes.words |= _words_of_aggregate(changes, folder, command, aggregate)
    changes.create(f"{folder}/{snake(command)}.py", changes.filled("command/command"))
    for module in ("domain", "integration_events", "converters"):
        changes.merge(f"{folder}/{module}.py", changes.filled(f"command/{module}"))
    wire(changes, feature, "command/feature")
    method = f"{changes.words['Aggregate']}.{changes.words['method']}"
    changes.next_steps.append(f"write the rule into {method}: {folder}/domain.py")
    if not route:
        changes.next_steps.append(f"send it from a subscriber: {folder}/subscribers.py")
    _add_tests(changes, feature, has_route=route and _add_route(changes, folder))
    for subscriber in dict.fromkeys(subscribers):
        subscribe(changes, subscriber)
    changes.next_steps += ['after a new column: make migration NAME="what changed"', "make check"]
    return changes


def _words_of_command(command: str, event: str) -> dict[str, str]:
    verb, _, rest = words(command).partition(" ")
    return {
        "Command": command,
        "command": snake(command),
        "Command_in_words": f"{verb.capitalize()} the {rest}",
        "Event": event,
        "event": snake(event),
        "event_in_words": words(event),
        "Event_in_words": words(event).capitalize(),
    }


def _words_of_aggregate(changes: Changes, folder: str, command: str, wanted: str) -> dict[str, str]:
    aggregate = _aggregate(changes.read(f"{folder}/domain.py"), folder, wanted)
    short = snake(command.removesuffix(aggregate.name) or command)
    taken = METHODS | members(aggregate) | set(keyword.kwlist)
    free = [name for name in (short, snake(command)) if name not in taken]
    if not free:
        raise RefusedError(f"{aggregate.name} has {short!r} already: choose another name.")
    return {
        "Aggregate": aggregate.name,
        "aggregate": snake(aggregate.name),
        "method": free[0],
        "action": kebab(short),
    }


def _aggregate(domain: str, folder: str, wanted: str) -> ast.ClassDef:
    roots = classes(domain, "AggregateRoot")
    found = [node for node in classes(domain) if node.name == wanted] if wanted else roots
    if len(found) == 1:
        return found[0]
    there = " and ".join(node.name for node in roots) or "none"
    raise RefusedError(f"Name the aggregate with --aggregate: {folder}/domain.py has {there}.")


def _refuse_known_classes(changes: Changes, folder: str, *wanted: str) -> None:
    files = sorted((changes.root / folder).rglob("*.py"))
    paths = [file.relative_to(changes.root).as_posix() for file in files]
    known = {node.name: path for path in paths for node in classes(changes.read(path))}
    for name in wanted:
        if name in known:
            raise RefusedError(f"{known[name]} has {name} already: choose another name.")


def _add_route(changes: Changes, folder: str) -> bool:
    path = f"{folder}/api.py"
    prefix = route_prefix(changes.read(path)) if changes.exists(path) else None
    if prefix is None:
        tell(changes, path, changes.filled("command/api"))
        return False
    changes.words["prefix"] = prefix
    changes.merge(path, changes.filled("command/api"))
    changes.next_steps.append(
        f"call it: POST {prefix}/{{{changes.words['aggregate']}_id}}/{changes.words['action']}"
    )
    return True


def _add_tests(changes: Changes, feature: str, *, has_route: bool) -> None:
    folder, one = f"tests/features/{feature}", changes.words["aggregate"]
    test, fixtures = f"{folder}/test_{changes.words['command']}.py", f"{folder}/conftest.py"
    known = names(changes.read(fixtures)) if changes.exists(fixtures) else set()
    parts = ["told", "http", "unknown"] if has_route else ["told", "unknown"]
    if f"stored_{one}" not in known:
        parts = ["unknown"]
        changes.next_steps.append(f"test what it does to {with_article(words(one))}: {test}")
    make_package(changes, folder)
    changes.create(test, changes.filled(f"command/test_{parts[0]}"))
    for part in parts[1:]:
        changes.merge(test, changes.filled(f"command/test_{part}"))
