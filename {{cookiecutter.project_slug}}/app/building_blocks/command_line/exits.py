"""How a command ends: an exit code for machines, and a sentence for people on stderr."""

from typing import Any

import typer
from typer.core import TyperGroup

from app.building_blocks.errors import ConfigurationError

NOTHING = 1
USAGE = 2
DATABASE = 3

EXIT_CODES = (
    "Exit codes: 0 done, 1 nothing found or refused, 2 wrong usage or settings, "
    "3 the database cannot be used."
)


class CommandError(Exception):
    """The command cannot go on; its text is the sentence that says why."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class ReadableErrors(TyperGroup):
    """Ends with a sentence and never with a stack trace, when the error is one to be expected."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(error.code) from None
        except ConfigurationError as error:
            for problem in error.problems:
                typer.echo(f"Cannot go on: {problem}", err=True)
            raise typer.Exit(USAGE) from None
