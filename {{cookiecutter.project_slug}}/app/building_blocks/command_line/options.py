"""The options by which messages are chosen, and how their values are read."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.secret import Secrets
from app.building_blocks.operations.states import STATES, State, state_of

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhd])")


def duration(text: str) -> timedelta:
    """As in 90s, 15m, 24h or 7d."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no duration: write 90s, 15m, 24h or 7d.")
    try:
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        raise typer.BadParameter(f"{text!r} is longer than there has been time.") from None


def moment(text: str) -> datetime:
    """A time in UTC unless it names its zone, or how long ago."""
    try:
        time = datetime.fromisoformat(text.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.now(UTC) - duration(text)
    except (typer.BadParameter, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time: write 2026-01-31, 2026-01-31T10:00, 2026-01-31T10:00+02:00, "
            "or how long ago, as in 15m, 24h or 7d."
        ) from None


def state_named(box: str, name: str) -> State:
    """The state of `box`, or a sentence that names those there are."""
    try:
        return state_of(box, name)
    except KeyError:
        there = ", ".join(state.name for state in STATES if state.box == box)
        raise typer.BadParameter(
            f"{name!r} is no state of the {box}: it has {there}.", param_hint="--state"
        ) from None


def check_consumer(box: str, consumer: str | None) -> None:
    """Only a message of the inbox has a consumer."""
    if consumer is not None and box == "outbox":
        raise typer.BadParameter("a message of the outbox has none.", param_hint="--consumer")


def chosen(
    box: str,
    secrets: Secrets,
    topic: str | None,
    key: str | None,
    consumer: str | None,
    message_id: str | None,
    since: datetime | None,
    until: datetime | None,
    text: str | None,
) -> MessageFilter:
    """The filter that the options mean."""
    check_consumer(box, consumer)
    return MessageFilter(
        message_id, consumer, topic, key, since, until, text or None, secrets.topics
    )


def as_options(state: State, wanted: MessageFilter) -> list[str]:
    """`wanted` as it would be written on the command line."""
    options = ["--state", state.name]
    for name in ("topic", "key", "consumer", "message_id", "since", "until", "text"):
        value = getattr(wanted, name)
        if value is not None:
            told = value.isoformat() if isinstance(value, datetime) else value
            options += [f"--{name.replace('_', '-')}", told]
    return options


Topic = Annotated[str | None, typer.Option(help="Of this topic.")]
Key = Annotated[str | None, typer.Option(help="Of this key.")]
ConsumerName = Annotated[
    str | None, typer.Option("--consumer", help="Of this consumer; inbox only.")
]
MessageId = Annotated[str | None, typer.Option(help="The message with this id.")]
Since = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="Not before: 2026-01-31T10:00 (UTC) or 2h."),
]
Until = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="Before: 2026-01-31T10:00 (UTC) or 15m."),
]
Text = Annotated[
    str | None, typer.Option(help="With this text in the payload, the error or the id.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
