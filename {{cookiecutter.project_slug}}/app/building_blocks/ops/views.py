"""Makes pages of templates. Everything that a template is given is escaped."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.times import duration
from app.building_blocks.ops import times
from app.building_blocks.ops.texts import breakable, spelled_out
from app.building_blocks.ops.visit import RefusedError, Visit

_FOLDER = Path(__file__).with_name("templates")


@cache
def _environment() -> Environment:
    """One in a process: what it compiles of templates is kept in it."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        finalize=spelled_out,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(link=link)
    environment.filters.update(
        without=str.removeprefix,
        breakable=breakable,
        utc=times.utc,
        duration=duration,
        relative=times.relative,
        number=times.number,
    )
    return environment


class Views:
    """The pages of one service."""

    def __init__(self, service: str, asset: Callable[[str], str]) -> None:
        self._service, self._asset = service, asset

    def page(
        self,
        visit: Visit,
        template: str,
        status: int = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """The page that `template` makes of `values`."""
        html = (
            _environment()
            .get_template(template)
            .render(
                service=self._service,
                asset=self._asset,
                csrf=visit.csrf,
                is_logged_in=visit.is_logged_in,
                path=visit.request.url.path,
                **values,
            )
        )
        # What came over the broker as JSON can hold halves of characters, which UTF-8 cannot.
        return HTMLResponse(html.encode(errors="replace"), status, headers)

    def problem(self, visit: Visit, refusal: RefusedError) -> HTMLResponse:
        """The page that says what is wrong."""
        return self.page(
            visit,
            "problem.html",
            refusal.status,
            refusal.headers,
            title=refusal.status.phrase,
            says=refusal.says,
        )


def link(path: str, **query: Any) -> str:
    """A path below /ops with those of `query` that say something."""
    given = {name: str(value) for name, value in query.items() if value not in (None, "")}
    return f"/ops{path}?{urlencode(given)}" if given else f"/ops{path}"


async def clock(database: Database) -> datetime:
    """What ages are told by."""
    async with database.reader.connect() as connection:
        return await database.now(connection)
