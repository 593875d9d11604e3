"""A secret stays one wherever it stands in an event, and whatever quotes it."""

import json
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field

from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.operations.secret import HIDDEN, Secret, Secrets

VALUE = "hunter2"


class Card(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: Secret
    owner: str = "ada"


class Cash(BaseModel):
    model_config = ConfigDict(frozen=True)

    note: Secret


class DeepIntegrationEvent(IntegrationEvent):
    topic = "tests.deep.v1"

    cards: list[dict[str, list[Card | None]]]
    pair: tuple[Secret, int] | None = None
    several: tuple[Card, ...] = ()
    some: frozenset[Secret] = frozenset()
    by_secret: dict[Secret, int]
    noted: Annotated[Card, Field(description="noted")] | None = None
    either: Card | Cash | None = None


CARD = {"number": VALUE, "owner": "ada"}
SHOWN = {"number": HIDDEN, "owner": "ada"}
secrets = Secrets([DeepIntegrationEvent])


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("cards", [{"a": [CARD, None]}], [{"a": [SHOWN, None]}]),
        ("pair", [VALUE, 3], [HIDDEN, 3]),
        ("pair", [VALUE, 3, 4], HIDDEN),
        ("several", [CARD, CARD], [SHOWN, SHOWN]),
        ("some", [VALUE], [HIDDEN]),
        ("by_secret", {VALUE: 1}, HIDDEN),
        ("noted", CARD, SHOWN),
        ("either", CARD, HIDDEN),
        ("unknown", {"deep": [VALUE]}, HIDDEN),
        ("cards", {VALUE: VALUE}, HIDDEN),
    ],
)
def test_a_secret_is_hidden_in_every_shape(field: str, value: object, shown: object) -> None:
    payload = json.dumps({field: value})
    assert json.loads(secrets.shown("tests.deep.v1", payload)) == {field: shown}
    error = f"ValueError: no {VALUE!r} in {payload}"
    assert VALUE not in secrets.kept_out_of(error, "tests.deep.v1", payload)


def told(secret: str, error: str) -> str:
    return secrets.kept_out_of(error, "tests.deep.v1", json.dumps({"pair": [secret, 3]}))


@pytest.mark.parametrize("secret", ["it's", 'a "b"', "back\\slash", "two\nlines", "Größe"])
def test_an_error_may_quote_a_secret_in_its_own_way(secret: str) -> None:
    for quoted in (secret, repr(secret), json.dumps(secret), ascii({"pin": secret})):
        error = told(secret, f"ValueError: {quoted} is wrong")
        assert not any(part in error for part in (secret, secret[-4:]))
        assert error.startswith("ValueError: ")
        assert error.endswith(" is wrong")


def test_a_short_secret_is_hidden_as_a_word_and_leaves_other_words_alone() -> None:
    error = told("12", "KeyError: 12 of (12,'12') in order 4012-1234, line 3")
    assert error == f"KeyError: {HIDDEN} of ({HIDDEN},'{HIDDEN}') in order 4012-1234, line 3"


def test_an_empty_list_is_shown_as_one() -> None:
    payload = '{"several": [], "cards": [], "by_secret": null}'
    assert json.loads(secrets.shown("tests.deep.v1", payload)) == json.loads(payload)
