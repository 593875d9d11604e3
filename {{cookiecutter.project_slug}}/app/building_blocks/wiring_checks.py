"""The mistakes of wiring that can be found before the first request."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, get_type_hints

from app.building_blocks.batch_checks import problems_of_batches
from app.building_blocks.feature import Feature
from app.building_blocks.feature_folders import folders_of, problems_of_folders
from app.building_blocks.forgotten_lines import forgotten_lines
from app.building_blocks.integration_event import IntegrationEvent, problems_of
from app.building_blocks.messages import Command, Query, result_type
from app.building_blocks.routes import grouped

Request = type[Command[Any]] | type[Query[Any]]


def problems_of_wiring(features: Sequence[Feature]) -> list[str]:
    """One sentence for each mistake, in the order in which one would mend them."""
    checks = (
        _doubled_names,
        # Before all that look into the folders: it imports what they could not see.
        problems_of_folders,
        _missing_handlers,
        _doubled_handlers,
        _wrong_results,
        _converters_without_target,
        _unusable_events,
        _doubled_topics,
        _doubled_subscriptions,
        problems_of_batches,
        forgotten_lines,
    )
    return [problem for check in checks for problem in check(features)]


def published_by(features: Sequence[Feature]) -> list[type[IntegrationEvent]]:
    """The integration events that the converters make, each once."""
    targets = (_target(converter) for feature in features for _, converter in feature.converters)
    return list(dict.fromkeys(target for target in targets if target))


def _requests(features: Sequence[Feature]) -> list[tuple[Request, Any]]:
    return [pair for f in features for pair in chain[Any](f.commands, f.queries)]


def _doubled_names(features: Sequence[Feature]) -> Iterator[str]:
    for name, count in Counter(feature.name for feature in features).items():
        if count > 1:
            yield f"{count} features are called {name!r}: consumers are named after the feature."


def _missing_handlers(features: Sequence[Feature]) -> Iterator[str]:
    """A command or query that a feature's package defines and its feature.py forgot.

    A name that begins with `_` is that of a base class.
    """
    handled = {request for request, _ in _requests(features)}
    packages = {handler.__module__.rpartition(".")[0] for _, handler in _requests(features)} - {""}
    packages |= {folder.package for folder in folders_of(features)}
    for base in (Command, Query):
        for request in _subclasses(base):
            defined_here = any(f"{request.__module__}.".startswith(f"{p}.") for p in packages)
            is_base = request.__name__.startswith("_")
            if defined_here and not is_base and request not in handled:
                yield f"{request.__name__} has no handler: add a line to its feature's feature.py."


def _doubled_handlers(features: Sequence[Feature]) -> Iterator[str]:
    for request, count in Counter(request for request, _ in _requests(features)).items():
        if count > 1:
            yield f"{request.__name__} has {count} handlers: a command or query has exactly one."


def _wrong_results(features: Sequence[Feature]) -> Iterator[str]:
    for request, handler in _requests(features):
        promised, answered = result_type(request), get_type_hints(handler).get("return", Any)
        if promised is not Any and answered is not Any and _plain(promised) != _plain(answered):
            yield (
                f"{handler.__name__} answers {answered}, "
                f"but {request.__name__} promises {promised}."
            )


def _converters_without_target(features: Sequence[Feature]) -> Iterator[str]:
    for feature in features:
        for event, converter in feature.converters:
            if _target(converter) is None:
                yield (
                    f"{converter.__name__}, the converter of {event.__name__}, needs the class of "
                    "the integration event that it makes as its return annotation."
                )


def _unusable_events(features: Sequence[Feature]) -> Iterator[str]:
    return chain.from_iterable(problems_of(event) for event in _integration_events(features))


def _doubled_topics(features: Sequence[Feature]) -> Iterator[str]:
    by_topic = grouped((getattr(e, "topic", None), e) for e in _integration_events(features))
    for topic, events in by_topic.items():
        if topic is not None and len(events) > 1:
            names = " and ".join(event.__name__ for event in events)
            yield f"{names} use the same topic {topic!r}: a topic carries one kind of event."


def _doubled_subscriptions(features: Sequence[Feature]) -> Iterator[str]:
    names = Counter(s.name for feature in features for s in feature.subscriptions)
    for name, count in names.items():
        if count > 1:
            yield f"{name} is subscribed {count} times: each consumer needs a name of its own."


def _integration_events(features: Sequence[Feature]) -> list[type[IntegrationEvent]]:
    subscribed = [s.event for feature in features for s in feature.subscriptions]
    return list(dict.fromkeys([*published_by(features), *subscribed]))


def _target(converter: Any) -> type[IntegrationEvent] | None:
    target = get_type_hints(converter).get("return")
    if not isinstance(target, type) or target is IntegrationEvent:
        return None
    return target if issubclass(target, IntegrationEvent) else None


def _subclasses(base: type[Any]) -> Iterator[Any]:
    for subclass in base.__subclasses__():
        # Command[None] is a class of its own, made where it was written.
        if subclass.__pydantic_generic_metadata__["origin"] is None:
            yield subclass
        yield from _subclasses(subclass)


def _plain(annotation: Any) -> Any:
    return type(None) if annotation is None else annotation
