"""Whatever an event holds comes back exactly, or is refused before it is written."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isnan
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.building_blocks.errors import EventRefusedError
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.outbox.envelope import Envelope

LIMIT = 1 << 20


class NoteIntegrationEvent(IntegrationEvent):
    topic = "tests.note.v1"

    text: str


class EverythingIntegrationEvent(IntegrationEvent):
    topic = "tests.everything.v1"

    text: str
    whole: int
    real: float
    exact: Decimal
    id: UUID
    at: datetime
    on: date
    lasts: timedelta
    raw: bytes
    maybe: str | None
    many: tuple[int, ...]
    named: dict[str, str]


moments = st.datetimes(timezones=st.none() | st.just(UTC))
events = st.builds(
    EverythingIntegrationEvent,
    text=st.text(),
    whole=st.integers(),
    real=st.floats(),
    exact=st.decimals(allow_nan=False, allow_infinity=False),
    id=st.uuids(),
    at=moments,
    on=st.dates(),
    lasts=st.timedeltas(timedelta(days=-10_000), timedelta(days=10_000)),
    raw=st.binary(),
    maybe=st.none() | st.text(),
    many=st.lists(st.integers()).map(tuple),
    named=st.dictionaries(st.text(), st.text()),
)


@given(events)
def test_an_event_comes_back_as_it_was(event: EverythingIntegrationEvent) -> None:
    payload = Envelope(event).row("tests", LIMIT)["payload"]
    back = EverythingIntegrationEvent.model_validate_json(payload)
    if isnan(event.real):
        assert isnan(back.real)
        back, event = (one.model_copy(update={"real": 0.0}) for one in (back, event))
    assert back == event
    assert back.exact.as_tuple() == event.exact.as_tuple()
    assert back.at.tzinfo == event.at.tzinfo or back.at.utcoffset() == event.at.utcoffset()


@given(st.integers(0xD800, 0xDFFF).map(chr))
def test_a_lone_surrogate_is_refused(text: str) -> None:
    event = NoteIntegrationEvent.model_construct(text=text)
    try:
        Envelope(event).row("tests", LIMIT)
    except EventRefusedError:
        return
    raise AssertionError(f"{text!r} was let through")
