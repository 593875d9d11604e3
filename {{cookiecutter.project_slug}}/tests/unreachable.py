"""A database that is away."""

from pathlib import Path

from sqlalchemy.engine import make_url


def unreachable(database_url: str, folder: Path) -> str:
    """The same kind of URL, at a port where nobody listens or in a folder that does not exist."""
    url = make_url(database_url)
    away = (
        url.set(host="127.0.0.1", port=1)
        if url.host
        else url.set(database=str(folder / "missing" / "service.db"))
    )
    return away.render_as_string(hide_password=False)
