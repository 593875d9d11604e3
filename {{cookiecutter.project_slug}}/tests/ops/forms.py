"""Reads the forms of a page, as a browser would send them."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self._action, self._is_within = action, False
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_within = given.get("action", "") == self._action
        elif tag == "input" and self._is_within and given.get("type") != "checkbox":
            self.values[given["name"]] = given.get("value", "")


def fields_of(page: str, action: str) -> dict[str, str]:
    """What the form that goes to `action` holds before anybody fills it in."""
    reader = _Fields(action)
    reader.feed(page)
    return reader.values
