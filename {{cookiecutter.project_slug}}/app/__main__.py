"""The command line: `python -m app --help`."""

import json
import sys
from typing import Annotated

import typer

from app.broker import open_broker
from app.building_blocks.asyncapi import AsyncApi
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from app.settings import load_settings

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@cli.callback()
def about() -> None:
    """What this service tells of itself, without starting it."""


@cli.command()
def asyncapi(
    output: Annotated[
        typer.FileTextWrite | None,
        typer.Option(help="The file to write; standard output without it.", encoding="utf-8"),
    ] = None,
) -> None:
    """Write the AsyncAPI 3 document: every event that is published or handled.

    The same document as at /asyncapi. For example:

    python -m app asyncapi --output asyncapi.json
    """
    settings = load_settings()
    broker = open_broker(settings.broker_url, settings.service_name)
    contract = AsyncApi(settings.service_name, settings.broker_url, broker.binding)
    text = json.dumps(contract.document(Wiring(FEATURES)), indent=2, ensure_ascii=False) + "\n"
    (output or sys.stdout).write(text)


if __name__ == "__main__":
    try:
        cli()
    except ConfigurationError as error:
        sys.exit("\n".join(f"Cannot go on: {problem}" for problem in error.problems))
