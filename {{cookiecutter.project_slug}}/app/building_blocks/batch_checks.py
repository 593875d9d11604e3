"""Mistakes of wiring that concern handlers of many events at once."""

from collections.abc import Iterator, Sequence
from inspect import signature
from typing import Any, get_origin, get_type_hints

from app.building_blocks.feature import Feature, Handler

LARGEST_BATCH = 1000


def problems_of_batches(features: Sequence[Feature]) -> Iterator[str]:
    """One sentence for each subscription whose `batch` does not go with the rest of it."""
    for one in [subscription for feature in features for subscription in feature.subscriptions]:
        takes = _first_parameter(one.handler)
        if one.batch is None:
            if get_origin(takes) is list:
                yield (
                    f"{one.name} takes a list of events: add batch=100, the most of them at once, "
                    "to its line in feature.py."
                )
        elif one.ordered:
            yield (
                f"{one.name} cannot keep the order of keys in batches: "
                "leave out ordered=True, or batch and the list."
            )
        elif not 1 <= one.batch <= LARGEST_BATCH:
            yield f"{one.name} has batch={one.batch}: take from 1 to {LARGEST_BATCH} messages."
        elif takes is not None and get_origin(takes) is not list:
            yield (
                f"{one.name} is handled in batches: its first parameter has to be "
                f"list[{one.event.__name__}]."
            )


def _first_parameter(handler: Handler) -> Any:
    """Its annotation; None where there is none that can be read."""
    try:
        hints, parameters = get_type_hints(handler), list(signature(handler).parameters)
    except Exception:
        return None
    return hints.get(parameters[0]) if parameters else None
