"""`retry`, `discard` and `purge`: commands that change something, and what they ask first."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from app.building_blocks.command_line import options
from app.building_blocks.command_line.answers import say_json
from app.building_blocks.command_line.exits import NOTHING, USAGE, CommandError
from app.building_blocks.command_line.opened import Open, Opened, operator, run
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.messages import Count
from app.building_blocks.operations.states import STATES, Box, State

_TEXTS = {
    "retry": """Try messages of the {box} again: {again}, with all of their attempts.

    Say which: with a filter, or --all. A message that somebody is at is left alone. {mind} Exit
    code 1 when there was none. For example:

    \b
    python -m app {box} retry --message-id 0198f3a2-6c1e-7d3b-9f70-3a5b1c2d4e6f
    python -m app {box} retry --topic orders.order-created.v1 --since 2h
    python -m app {box} retry --all
    """,
    "discard": """Give messages of the {box} up for good: {never}.

    Say which: with a filter, or --all. It asks before it does so; without a terminal it wants
    --yes. Exit code 1 when there was none, or when the answer is no. For example:

    \b
    python -m app {box} discard --message-id 0198f3a2-6c1e-7d3b-9f70-3a5b1c2d4e6f
    python -m app {box} discard --state dead --until 7d --yes
    """,
}
_MEANING = {
    "outbox": {
        "again": "publish them now",
        "never": "they are deleted and never published",
        "mind": "What is dead comes after later messages of its key, which were not held up. "
        "With --state waiting, what was to go out later goes out now, too.",
    },
    "inbox": {
        "again": "handle them now",
        "never": "they are kept as discarded, never handled",
        "mind": "What is dead comes after later messages of its key, which were not held up.",
    },
}


def add_retry(app: typer.Typer, box: Box, open_service: Open) -> None:
    _add_change(app, box, open_service, "retry")


def add_discard(app: typer.Typer, box: Box, open_service: Open) -> None:
    _add_change(app, box, open_service, "discard")


def _add_change(app: typer.Typer, box: Box, open_service: Open, action: str) -> None:
    states = ", ".join(state.name for state in STATES if state.box == box and state.is_open)

    @app.command(action, help=_TEXTS[action].format(box=box, **_MEANING[box]))
    def change(
        state: Annotated[str, typer.Option(help=f"One of {states}.")] = "dead",
        topic: options.Topic = None,
        key: options.Key = None,
        consumer: options.ConsumerName = None,
        message_id: options.MessageId = None,
        since: options.Since = None,
        until: options.Until = None,
        text: options.Text = None,
        everything: Annotated[bool, typer.Option("--all", help="All of the state.")] = False,
        yes: Annotated[
            bool,
            # What is tried again needs no question; to say it all the same does no harm.
            typer.Option("--yes", "-y", help="Do not ask.", hidden=action == "retry"),
        ] = False,
        json: options.AsJson = False,
    ) -> None:
        which = options.state_named(box, state)
        if not which.is_open:
            raise CommandError(NOTHING, f"What is {state} in the {box} is done: nothing is left.")
        opened = open_service()
        wanted = options.chosen(
            box, opened.secrets, topic, key, consumer, message_id, since, until, text
        )
        if wanted.is_empty != everything:
            raise CommandError(
                USAGE, "Say which messages: with a filter, or all of them with --all."
            )
        if action == "discard":
            _ask_about(open_service, which, wanted, yes)
        changed = run(opened, lambda opened: _change(opened, action, which, wanted))
        if json:
            say_json({"box": box, "state": state, "action": action, "messages": changed})
        else:
            done = {"retry": "tried again", "discard": "discarded"}[action]
            typer.echo(f"{changed:,} {_messages(changed)} {done}.")
        if not changed:
            raise typer.Exit(NOTHING)


async def _change(opened: Opened, action: str, state: State, wanted: MessageFilter) -> int:
    if action == "discard":
        return await opened.actions.discard(state, wanted, operator())
    changed = await opened.actions.retry(state, wanted, operator())
    if changed and state.box == "outbox" and opened.database.signals is not None:
        await opened.database.signals.send()
    return changed


def _ask_about(open_service: Open, state: State, wanted: MessageFilter, yes: bool) -> None:
    def count() -> Count:
        return run(open_service(), lambda opened: opened.messages.count(state, wanted))

    def question(found: Count) -> str:
        many = f"{found.rows:,} or more" if found.is_more else f"{found.rows:,}"
        return f"Discard {many} {state.name} {_messages(found.rows)} of the {state.box} for good?"

    ask(count, question, yes)


def ask(count: Callable[[], Count], question: Callable[[Count], str], yes: bool) -> None:
    """Let the operator say yes. Raises CommandError when the answer is no, or nobody is there."""
    if yes:
        return
    if not is_at_terminal():
        raise CommandError(
            USAGE, "Nothing was changed: there is no terminal to ask at. Say --yes to go on."
        )
    found = count()
    if not found.rows and not found.is_more:
        raise CommandError(NOTHING, "No message fits: nothing was changed.")
    # Not typer's own question, which writes a space to standard output.
    typer.echo(f"{question(found)} [y/N] ", err=True, nl=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError(NOTHING, "Nothing was changed.")


def is_at_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()


def _messages(number: int) -> str:
    return "message" if number == 1 else "messages"
