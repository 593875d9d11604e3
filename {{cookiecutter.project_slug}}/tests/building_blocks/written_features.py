"""Features as their owner writes them: real packages, in a folder of a test's own."""

import sys
from collections.abc import Sequence
from importlib import import_module, invalidate_caches
from pathlib import Path

from app.building_blocks.errors import WiringError
from app.building_blocks.feature import Feature
from app.building_blocks.wiring import Wiring

REGISTER = """
from shop.features.toys.feature import toys

FEATURES = (toys,)
"""
MESSAGES = """
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.messages import Command, DomainEvent


class BuyToy(Command[None]):
    pass


class ToyBought(DomainEvent):
    pass


class ToyBoughtIntegrationEvent(IntegrationEvent):
    topic = "toys.toy-bought.v1"
"""
FUNCTIONS = """
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import DomainEvent
from app.building_blocks.unit_of_work import UnitOfWork
from shop.features.toys.messages import BuyToy, ToyBought, ToyBoughtIntegrationEvent


async def buy_toy(command: BuyToy, uow: UnitOfWork) -> None: ...


async def count_toy(event: ToyBought, uow: UnitOfWork) -> None: ...


def convert_toy_bought(event: ToyBought) -> ToyBoughtIntegrationEvent:
    return ToyBoughtIntegrationEvent()


async def when_toy_bought(event: ToyBoughtIntegrationEvent, mediator: Mediator) -> None: ...
"""
FEATURE = """
from app.building_blocks.feature import Feature
from shop.features.toys.functions import *
from shop.features.toys.messages import *

toys = Feature("toys")
toys.handle(BuyToy, buy_toy)
toys.react(ToyBought, count_toy)
toys.publish(ToyBought, convert_toy_bought)
toys.subscribe(ToyBoughtIntegrationEvent, when_toy_bought)
"""


class WrittenFeatures:
    """The package `shop.features` with one feature, `toys`, without a mistake.

    Its texts and sentences say `shop`. Its name is the folder's, and no other test's: classes of
    commands outlive their test.
    """

    def __init__(self, folder: Path) -> None:
        self._package = folder.name
        self._folder = folder / folder.name / "features"
        self.add("__init__.py", REGISTER)
        self.add("toys/__init__.py", "")
        self.add("toys/messages.py", MESSAGES)
        self.add("toys/functions.py", FUNCTIONS)
        self.add("toys/feature.py", FEATURE)

    def add(self, path: str, text: str) -> None:
        """Write `text` at the end of a file, which may be new."""
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text("utf-8") if file.exists() else ""
        file.write_text(before + text.replace("shop.", f"{self._package}."), "utf-8")

    def change(self, path: str, old: str, new: str) -> None:
        """Put `new` in the place of `old`, which has to be there."""
        file = self._folder / path
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    @property
    def registered(self) -> Sequence[Feature]:
        """Its FEATURES, imported."""
        invalidate_caches()
        features: Sequence[Feature] = import_module(f"{self._package}.features").FEATURES
        return features

    def is_imported(self, module: str) -> bool:
        """Whether anything has imported `module` of the feature."""
        return f"{self._package}.features.toys.{module}" in sys.modules

    def problems(self) -> list[str]:
        """What keeps a service with its FEATURES from starting."""
        try:
            Wiring(self.registered)
        except WiringError as error:
            return self.told(error)
        return []

    def told(self, error: WiringError) -> list[str]:
        """The sentences of an error."""
        return [problem.replace(self._package, "shop") for problem in error.problems]

    def forget(self) -> None:
        """Take it out of what Python has imported."""
        for name in [name for name in sys.modules if name.partition(".")[0] == self._package]:
            del sys.modules[name]
