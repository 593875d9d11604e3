"""The command line: `python -m scaffold --help`, or `make feature` and `make command`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from scaffold.changes import Changes
from scaffold.commands import add_command
from scaffold.features import add_feature
from scaffold.names import RefusedError

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Aggregate = Annotated[str, typer.Option(help="The aggregate, if not the obvious one: Shipment.")]


@cli.callback()
def about() -> None:
    """Add to this service what its own features are made of.

    What is added passes make check at once, a new feature once its table has its migration.

    When something is refused or fails, no file is changed.
    """


@cli.command()
def feature(
    name: Annotated[str, typer.Argument(help="A plural in lower case: shipments, return_labels.")],
    aggregate: Aggregate = "",
) -> None:
    """Add a feature: an aggregate, its first command, event, query, routes and tests.

    python -m scaffold feature shipments
    """
    _carry_out(add_feature(Path.cwd(), name, aggregate))


@cli.command()
def command(
    feature: Annotated[str, typer.Argument(help="The feature that it belongs to.")],
    name: Annotated[str, typer.Argument(help="A verb and what it acts on: ShipOrder.")],
    event: Annotated[
        str, typer.Option(help="What has happened by it; OrderShipped, if you do not say.")
    ] = "",
    subscriber: Annotated[
        list[str] | None, typer.Option(help="A feature that hears of it; may be given again.")
    ] = None,
    aggregate: Aggregate = "",
    route: Annotated[
        Literal["yes", "no"], typer.Option(help="no: only subscribers send it, nobody over HTTP.")
    ] = "yes",
) -> None:
    """Add a command with its handler, event, converter, integration event, route and tests.

    python -m scaffold command shipments ShipOrder --subscriber orders
    """
    has_route = route == "yes"
    _carry_out(
        add_command(Path.cwd(), feature, name, event, subscriber or [], aggregate, route=has_route)
    )


def _carry_out(changes: Changes) -> None:
    changes.write()
    for path in changes.new:
        typer.echo(f"new      {path}")
    for path in changes.changed:
        typer.echo(f"changed  {path}")
    for left in changes.by_hand:
        typer.echo(f"\nBY HAND, since the place was not found: {left}")
    typer.echo("\nNext:")
    for number, step in enumerate(changes.next_steps, start=1):
        typer.echo(f"{number}. {step}")


if __name__ == "__main__":
    try:
        cli()
    except RefusedError as refusal:
        typer.echo(refusal, err=True)
        sys.exit(2)
