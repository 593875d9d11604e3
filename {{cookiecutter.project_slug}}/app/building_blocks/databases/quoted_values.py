"""Takes values out of what databases say: the text of an error ends in logs."""

import re
from collections.abc import Callable

from sqlalchemy import ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine


def keep_values_out(engine: AsyncEngine, quoted: re.Pattern[str]) -> None:
    """From now on no error of `engine` tells what `quoted` finds in the driver's words."""
    event.listen(engine.sync_engine, "handle_error", _without(quoted))


def _without(quoted: re.Pattern[str]) -> Callable[[ExceptionContext], None]:
    def clean(error: BaseException) -> None:
        if hasattr(error, "detail"):
            # Some drivers keep apart what they tell of the row.
            error.detail = None
        error.args = tuple(
            quoted.sub("...", told) if isinstance(told, str) else told for told in error.args
        )

    def forget_values(context: ExceptionContext) -> None:
        driver, wrapped = context.original_exception, context.sqlalchemy_exception
        said = str(driver)
        for error in (driver, driver.__cause__):
            if error is not None:
                clean(error)
        if wrapped is not None and wrapped.args:
            text = str(wrapped.args[0]).replace(said, str(driver))
            wrapped.args = (text, *wrapped.args[1:])

    return forget_values
