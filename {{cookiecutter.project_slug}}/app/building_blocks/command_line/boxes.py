"""`outbox` and `inbox`: the same commands for both."""

import typer

from app.building_blocks.command_line.changing import add_discard, add_retry
from app.building_blocks.command_line.looking import add_list, add_show, add_status
from app.building_blocks.command_line.opened import Open
from app.building_blocks.command_line.purging import add_purge
from app.building_blocks.operations.states import Box

_ABOUT = {
    "outbox": "Events on their way out: waiting, refused by the broker, or published.",
    "inbox": "Messages that came in: tried again, given up, handled, or discarded.",
}


def box_commands(box: Box, open_service: Open) -> typer.Typer:
    """The commands for the messages of one box."""
    app = typer.Typer(help=_ABOUT[box], no_args_is_help=True, rich_markup_mode=None)
    for add in (add_status, add_list, add_show, add_retry, add_discard, add_purge):
        add(app, box, open_service)
    return app
