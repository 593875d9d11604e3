"""Puts the features together and refuses, when the app starts, what cannot work."""

from collections.abc import Sequence

from app.building_blocks.errors import WiringError
from app.building_blocks.feature import Feature, Subscription
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.routes import Routes, grouped
from app.building_blocks.wiring_checks import problems_of_wiring, published_by


class Wiring:
    """The routes and subscriptions of all features, whose folders are imported as a whole.

    Raises WiringError with every problem.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        problems = problems_of_wiring(features)
        if problems:
            raise WiringError(*problems)
        self.features = features
        self.published: list[type[IntegrationEvent]] = published_by(features)
        self.subscriptions: list[Subscription] = [
            subscription for feature in features for subscription in feature.subscriptions
        ]
        self.routes = Routes(
            commands=dict(pair for feature in features for pair in feature.commands),
            queries=dict(pair for feature in features for pair in feature.queries),
            domain_event_handlers=grouped(
                pair for feature in features for pair in feature.domain_event_handlers
            ),
            converters=grouped(pair for feature in features for pair in feature.converters),
        )
