"""The command line: `python -m app --help`."""

import asyncio
import json
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated

import typer

from app.broker import open_broker
from app.building_blocks.asyncapi import AsyncApi
from app.building_blocks.carriers import Carriers
from app.building_blocks.command_line.boxes import box_commands
from app.building_blocks.command_line.catalogue import add_events
from app.building_blocks.command_line.exits import (
    EXIT_CODES,
    NOTHING,
    CommandError,
    ReadableErrors,
)
from app.building_blocks.command_line.opened import Opened, secrets_of
from app.building_blocks.command_line.publishing import (
    MEMORY_IS_NOT_SHARED,
    PublisherProcess,
    run_until_signal,
)
from app.building_blocks.exporting import tracer_provider
from app.building_blocks.logs import configure_logs
from app.building_blocks.operations.flow import flow_of
from app.building_blocks.operations.mermaid import as_markdown
from app.building_blocks.wiring import Wiring
from app.carriers import CARRIERS
from app.database import open_database
from app.features import FEATURES
from app.settings import Settings, load_settings

ABOUT = f"""What this service publishes and handles, and what to do when a message waits.

It uses the settings of the service: the environment, .env, pyproject.toml. Logs go to standard
error. {EXIT_CODES} For example:

\b
python -m app outbox status
python -m app inbox list --state dead
python -m app inbox retry --topic orders.order-created.v1
"""

cli = typer.Typer(
    cls=ReadableErrors,
    help=ABOUT,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
publisher = typer.Typer(help="Publish without HTTP.", no_args_is_help=True, rich_markup_mode=None)
Output = Annotated[
    typer.FileTextWrite | None,
    typer.Option(help="The file to write; standard output without it.", encoding="utf-8"),
]


def _settings() -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    return settings


def _wiring() -> Wiring:
    return Wiring(FEATURES)


def _open() -> Opened:
    return Opened(open_database(_settings().database_url), secrets_of(_wiring()))


@cli.command()
def asyncapi(output: Output = None) -> None:
    """Write the AsyncAPI 3 document: every event that is published or handled.

    The same document as at /asyncapi. For example:

    python -m app asyncapi --output asyncapi.json
    """
    settings = load_settings()
    broker = open_broker(settings.broker_url, settings.service_name)
    contract = AsyncApi(
        settings.service_name,
        settings.broker_url,
        broker.binding,
        Carriers(CARRIERS).names,
    )
    text = json.dumps(contract.document(_wiring()), indent=2, ensure_ascii=False) + "\n"
    (output or sys.stdout).write(text)


@cli.command()
def flow(output: Output = None) -> None:
    """Draw what leads to what, from command to command, as Markdown with a Mermaid diagram.

    For example:

    python -m app flow --output flow.md
    """
    (output or sys.stdout).write(as_markdown(load_settings().service_name, flow_of(_wiring())))


@publisher.command("run")
def run_publisher() -> None:
    """Publish what waits in the outbox until SIGTERM or Ctrl-C, without HTTP or subscribers.

    Any number may run beside each other and beside the service; OUTBOX_PUBLISHER_ENABLED=false
    keeps the service itself from publishing. It also deletes old rows, as the service does.

    python -m app publisher run
    """
    settings = _settings()
    if settings.broker_url.startswith("memory:"):
        raise CommandError(NOTHING, MEMORY_IS_NOT_SHARED)
    process = PublisherProcess(
        open_database(settings.database_url),
        open_broker(settings.broker_url, settings.service_name),
        [event.topic for event in _wiring().published],
        refusals=settings.retry_policy,
        retention_hours=settings.outbox_retention_hours,
        batch_size=settings.outbox_batch_size,
        poll_interval=settings.outbox_poll_interval,
        spans=tracer_provider(settings.service_name),
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(run_until_signal(process))


cli.add_typer(box_commands("outbox", _open), name="outbox")
cli.add_typer(box_commands("inbox", _open), name="inbox")
add_events(cli, _wiring)
cli.add_typer(publisher, name="publisher")


if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that cannot show a letter is no reason to fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    cli()
