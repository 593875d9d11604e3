"""Databases that cannot be used."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url

PASSWORD = "tiger-tiger"


def unreachable(database_url: str, folder: Path) -> str:
    """The same kind of URL, at a port where nobody listens or in a folder that does not exist."""
    url = make_url(database_url)
    return _text(url.set(host="127.0.0.1", port=1) if url.host else _without_folder(url, folder))


def unusable(database_url: str, folder: Path) -> list[str]:
    """URLs of the same kind, one for each thing that can be wrong."""
    url = make_url(database_url)
    if not url.host:
        other_file = folder / "notes.txt"
        other_file.write_text("What is in here has never been a database.\n" * 9, "utf-8")
        return [_text(_without_folder(url, folder)), _text(url.set(database=str(other_file)))]
    no_server = url.set(port=1, password=PASSWORD)
    no_such_login = url.set(username="nobody_knows_me", password=PASSWORD)
    no_such_database = url.set(database="there_is_none")
    return [_text(wrong) for wrong in (no_server, no_such_login, no_such_database)]


def _without_folder(url: URL, folder: Path) -> URL:
    return url.set(database=str(folder / "missing" / "service.db"))


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
