"""What an event marks as secret travels in its JSON and shows nowhere else."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from app.building_blocks.integration_event import IntegrationEvent, problems_of
from app.building_blocks.operations.secret import HIDDEN, Secret, Secrets, has_secret


class Card(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: Secret
    owner: str


class Tree(BaseModel):
    model_config = ConfigDict(frozen=True)

    children: list["Tree"]
    card: Card | None = None


class PaidIntegrationEvent(IntegrationEvent):
    topic = "tests.paid.v1"
    key = "order_id"

    order_id: int
    password: Secret
    token: Secret | None = None
    card: Card
    cards: list[Card]
    by_name: dict[str, Card]
    words: tuple[Secret, ...]
    tree: Tree


class PlainIntegrationEvent(IntegrationEvent):
    topic = "tests.plain.v1"

    name: str


CARD = {"number": "4111", "owner": "ada"}
PAYLOAD: dict[str, Any] = {
    "order_id": 7,
    "password": "hunter2",
    "token": None,
    "card": CARD,
    "cards": [CARD],
    "by_name": {"first": CARD},
    "words": ["open", "sesame"],
    "tree": {"children": [{"children": [], "card": CARD}], "card": None},
}
SHOWN_CARD = {"number": HIDDEN, "owner": "ada"}
secrets = Secrets([PaidIntegrationEvent, PlainIntegrationEvent])


def test_a_secret_travels_and_comes_back() -> None:
    event = PaidIntegrationEvent.model_validate(PAYLOAD)
    assert json.loads(event.model_dump_json()) == PAYLOAD
    assert PaidIntegrationEvent.model_validate_json(event.model_dump_json()) == event
    assert "hunter2" not in repr(event)


def test_only_what_is_secret_is_hidden() -> None:
    shown = json.loads(secrets.shown("tests.paid.v1", json.dumps(PAYLOAD).encode()))
    assert shown == {
        "order_id": 7,
        "password": HIDDEN,
        "token": None,
        "card": SHOWN_CARD,
        "cards": [SHOWN_CARD],
        "by_name": {"first": SHOWN_CARD},
        "words": [HIDDEN, HIDDEN],
        "tree": {"children": [{"children": [], "card": SHOWN_CARD}], "card": None},
    }


@pytest.mark.parametrize(
    "payload",
    [
        b"hunter2", b'{"password": "hunter2"', b'"hunter2"', b'["hunter2"]', b"\xffhunter2",
        b'{"password": ["hunter2"]}', b'{"card": "hunter2"}', b'{"cards": {"x": "hunter2"}}',
        b'{"pass_word": "hunter2"}', b'{"card": {"other": "hunter2"}}',
    ],
)  # fmt: skip
def test_what_is_not_as_the_event_says_hides_more_and_not_less(payload: bytes) -> None:
    assert "hunter2" not in secrets.shown("tests.paid.v1", payload)


@pytest.mark.parametrize("topic", ["tests.plain.v1", "tests.unknown.v1"])
def test_what_has_no_secrets_shows_as_it_is(topic: str) -> None:
    assert json.loads(secrets.shown(topic, '{"name": "Größe", "more": 1}')) == {
        "name": "Größe", "more": 1,
    }  # fmt: skip
    assert secrets.shown(topic, b"no json \xff") == "no json \N{REPLACEMENT CHARACTER}"


def test_the_topics_with_secrets_are_known() -> None:
    assert secrets.topics == ("tests.paid.v1",)
    assert has_secret(PaidIntegrationEvent)
    assert not has_secret(PlainIntegrationEvent)


def test_an_event_may_have_secrets() -> None:
    assert problems_of(PaidIntegrationEvent) == []


def test_a_secret_whose_value_would_not_travel_is_refused() -> None:
    class LostIntegrationEvent(IntegrationEvent):
        topic = "tests.lost.v1"

        password: SecretStr

    [problem] = problems_of(LostIntegrationEvent)
    assert problem.startswith("LostIntegrationEvent.password is SecretStr: ")
