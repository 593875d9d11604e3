"""Functions that a feature defines for its wiring and that no `feature.py` names."""

import sys
from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter, isfunction, signature, unwrap
from typing import Any, TypeGuard, get_args, get_origin, get_type_hints

from app.building_blocks.feature import Feature
from app.building_blocks.feature_folders import FeatureModule, folders_of
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import DomainEvent
from app.building_blocks.unit_of_work import UnitOfWork

_MISSING = {
    "publish": "is not published",
    "react": "does not react to anything",
    "subscribe": "is not subscribed",
}


def forgotten_lines(features: Sequence[Feature]) -> Iterator[str]:
    """One sentence for each function that has the form of a converter or of an event's handler.

    Every module in a feature's folder is looked through. A function whose name begins with `_` is
    a helper; one that was imported is looked at where it is defined.
    """
    wired = _wired(features)
    for folder in folders_of(features):
        for module in folder.modules:
            for function in _functions(module):
                line = _line(function)
                if line is not None and unwrap(function) not in wired:
                    (method, event, more), name = line, function.__name__
                    yield (
                        f"{name} in {module.file} {_MISSING[method]}: add "
                        f"{folder.variable}.{method}({event}, {name}{more}) to its feature.py, "
                        "or begin its name with _ if it is a helper."
                    )


def _wired(features: Sequence[Feature]) -> list[Any]:
    """What the lines name, without the decorators that they may put around it."""
    pairs = [pair for f in features for pair in [*f.converters, *f.domain_event_handlers]]
    handlers = [subscription.handler for f in features for subscription in f.subscriptions]
    return [unwrap(function) for function in [*(function for _, function in pairs), *handlers]]


def _functions(module: FeatureModule) -> Iterator[Callable[..., Any]]:
    """Those that the module defines for others, each once."""
    if module.name in sys.modules:
        for value in dict.fromkeys(filter(isfunction, vars(sys.modules[module.name]).values())):
            if value.__module__ == module.name and not value.__name__.startswith("_"):
                yield value


def _line(function: Callable[..., Any]) -> tuple[str, str, str] | None:
    """The method of a feature that takes such a function, the event, and what more it needs.

    None for other forms.

    A function with names in its annotations that are not there when it runs has no form.
    """
    try:
        hints, parameters = get_type_hints(function), signature(function).parameters
    except Exception:
        return None
    needed = [hints.get(name) for name, parameter in parameters.items() if _is_needed(parameter)]
    first, *others = needed or [None]
    [one_of_many, *_] = get_args(first) if get_origin(first) is list else [None]
    if _is_a(first, DomainEvent) and not others and _is_a(hints.get("return"), IntegrationEvent):
        return "publish", first.__name__, ""
    if _is_a(first, DomainEvent) and others == [UnitOfWork]:
        return "react", first.__name__, ""
    if _is_a(first, IntegrationEvent) and others == [Mediator]:
        return "subscribe", first.__name__, ""
    if _is_a(one_of_many, IntegrationEvent) and others == [Mediator]:
        return "subscribe", one_of_many.__name__, ", batch=100"
    return None


def _is_needed(parameter: Parameter) -> bool:
    without_default = parameter.default is Parameter.empty
    return without_default and parameter.kind not in (
        Parameter.VAR_POSITIONAL,
        Parameter.VAR_KEYWORD,
    )


def _is_a(hint: Any, base: type[Any]) -> TypeGuard[type[Any]]:
    return isinstance(hint, type) and issubclass(hint, base) and hint is not base
