"""`purge`: deletes what is over, sooner than retention does."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import structlog
import typer

from app.building_blocks.command_line import options
from app.building_blocks.command_line.answers import say_json
from app.building_blocks.command_line.changing import ask
from app.building_blocks.command_line.exits import NOTHING
from app.building_blocks.command_line.opened import Open, Opened, operator, run
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.messages import Count
from app.building_blocks.operations.states import STATES, Box
from app.building_blocks.retention import Retention
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger("app.audit")

_WARNINGS = {
    "outbox": "",
    "inbox": " A duplicate of what is deleted that still arrives takes effect again.",
}
_DEFAULTS = {"outbox": "24h", "inbox": "7d"}


def add_purge(app: typer.Typer, box: Box, open_service: Open) -> None:
    over = [state for state in STATES if state.box == box and not state.is_open]
    names = " or ".join(state.name for state in over)
    text = f"""Delete messages of the {box} that have been {names} for long.

    Some hundred at a time, so that others hardly notice; retention does the same by itself.
    {_WARNINGS[box].strip()}
    It asks before it does so; without a terminal it wants --yes. For example:

    python -m app {box} purge --older-than {_DEFAULTS[box]}
    """

    @app.command(help=text)
    def purge(
        older_than: Annotated[
            timedelta,
            typer.Option(parser=options.duration, metavar="DURATION", help="As in 90m, 24h, 7d."),
        ] = _DEFAULTS[box],  # type: ignore[assignment]
        yes: options.Yes = False,
        json: options.AsJson = False,
    ) -> None:
        wanted = MessageFilter(until=_ago(older_than))

        async def count(opened: Opened) -> Count:
            found = [await opened.messages.count(state, wanted) for state in over]
            return Count(sum(one.rows for one in found), any(one.is_more for one in found))

        def question(found: Count) -> str:
            many = f"{found.rows:,} or more" if found.is_more else f"{found.rows:,}"
            return f"Delete {many} {names} messages of the {box} for good?{_WARNINGS[box]}"

        ask(lambda: run(open_service(), count), question, yes)
        deleted = run(open_service(), lambda opened: _delete(opened, box, older_than))
        if json:
            say_json({"box": box, "deleted": deleted})
        else:
            typer.echo(f"{deleted:,} deleted.")
        if not deleted:
            raise typer.Exit(NOTHING)


def _ago(older_than: timedelta) -> datetime:
    try:
        return datetime.now(UTC) - older_than
    except OverflowError:
        raise typer.BadParameter(
            f"{older_than.days}d is longer than there has been time.", param_hint="--older-than"
        ) from None


async def _delete(opened: Opened, box: Box, older_than: timedelta) -> int:
    hours = older_than.total_seconds() / 3600
    retention = Retention(opened.database, WakeUp(), outbox_hours=hours, inbox_hours=hours)
    delete = retention.delete_published if box == "outbox" else retention.delete_handled
    deleted = await delete()
    log.info(
        "messages purged", by=operator(), box=box, messages=deleted, older_than=str(older_than)
    )
    return deleted
