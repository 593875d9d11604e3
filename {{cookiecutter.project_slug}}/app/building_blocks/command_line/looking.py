"""`status`, `list` and `show`: commands that change nothing."""

import shlex
from typing import Annotated

import typer

from app.building_blocks.command_line import options
from app.building_blocks.command_line.answers import (
    chain_table,
    message_document,
    message_table,
    message_text,
    say_json,
    status_table,
)
from app.building_blocks.command_line.exits import NOTHING, CommandError
from app.building_blocks.command_line.opened import Open, Opened, run
from app.building_blocks.operations.backlog import Backlog, backlogs
from app.building_blocks.operations.message import Message
from app.building_blocks.operations.messages import Page
from app.building_blocks.operations.search import SEARCHED
from app.building_blocks.operations.states import STATES, Box


def add_status(app: typer.Typer, box: Box, open_service: Open) -> None:
    text = f"""How many messages of the {box} are in each state, and for how long the oldest.

    Counting stops at 10,000: 10,000+ is that many or more. For example:

    python -m app {box} status --json
    """

    @app.command(help=text)
    def status(json: options.AsJson = False) -> None:
        async def work(opened: Opened) -> list[Backlog]:
            return await backlogs(opened.database, box=box)

        found = run(open_service(), work)
        if json:
            say_json({"box": box, "states": [one._asdict() for one in found]})
        else:
            typer.echo(status_table(found))


def add_list(app: typer.Typer, box: Box, open_service: Open) -> None:
    states = ", ".join(state.name for state in STATES if state.box == box)
    first = next(state.name for state in STATES if state.box == box)
    text = f"""Messages of the {box} in one state, a page at a time.

    The states are {states}. What is not in a column with an index is searched for among
    {SEARCHED:,} messages; then the answer says how to go on. Exit code 1 when nothing was found.
    For example:

    \b
    python -m app {box} list --state dead
    python -m app {box} list --topic orders.order-created.v1 --since 2h
    python -m app {box} list --state dead --text ValueError --json
    """

    @app.command("list", help=text)
    def list_(
        state: Annotated[str, typer.Option(help=f"One of {states}.")] = first,
        topic: options.Topic = None,
        key: options.Key = None,
        consumer: options.ConsumerName = None,
        message_id: options.MessageId = None,
        since: options.Since = None,
        until: options.Until = None,
        text: options.Text = None,
        limit: Annotated[int, typer.Option(min=1, max=1000, help="So many at most.")] = 20,
        after: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
        json: options.AsJson = False,
    ) -> None:
        which = options.state_named(box, state)
        opened = open_service()
        wanted = options.chosen(
            box, opened.secrets, topic, key, consumer, message_id, since, until, text
        )

        async def work(opened: Opened) -> Page:
            return await opened.messages.page(which, wanted, after, limit, payloads=json)

        try:
            page = run(opened, work)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--after") from None
        if json:
            messages = [message_document(message) for message in page.messages]
            end = {"next": page.next, "searched_all": page.searched_all}
            say_json({"box": box, "state": state, "messages": messages, **end})
        else:
            again = [*options.as_options(which, wanted), "--limit", str(limit)]
            _say_page(page, f"python -m app {box} list {shlex.join(again)}")
        if not page.messages:
            raise typer.Exit(NOTHING)


def add_show(app: typer.Typer, box: Box, open_service: Open) -> None:
    text = f"""Everything about one message, and what else came of the same request.

    Secret fields of the payload are hidden. For example:

    python -m app {box} show 0198f3a2-6c1e-7d3b-9f70-3a5b1c2d4e6f
    """

    @app.command(help=text)
    def show(
        message_id: Annotated[str, typer.Argument(help="The id that a list shows.")],
        consumer: options.ConsumerName = None,
        json: options.AsJson = False,
    ) -> None:
        options.check_consumer(box, consumer)

        async def work(opened: Opened) -> tuple[list[Message], list[Message]]:
            found = await opened.messages.find_all(box, message_id, consumer)
            chain = await opened.messages.chain(found[0].correlation_id) if found else []
            return found, chain

        found, chain = run(open_service(), work)
        if not found:
            raise CommandError(NOTHING, f"There is no message {message_id} in the {box}.")
        if json:
            say_json(
                {
                    "messages": [message_document(message) for message in found],
                    "chain": [message_document(message) for message in chain],
                }
            )
            return
        typer.echo("\n\n".join(message_text(message) for message in found))
        if chain:
            typer.echo(f"\nSame request\n{chain_table(chain)}")


def _say_page(page: Page, command: str) -> None:
    if page.messages:
        typer.echo(message_table(page.messages))
    elif page.searched_all:
        typer.echo("No message fits.")
    if page.next is not None:
        if not page.searched_all:
            typer.echo(f"\nThe first {SEARCHED:,} messages were searched; more may fit further on.")
        typer.echo(f"\nNext page:\n{command} --after {page.next}")
