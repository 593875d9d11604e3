"""How an action ended, told on the page that comes after it."""

from collections.abc import Mapping

from app.building_blocks.ops.times import number

_DONE = {"retry": "tried again now", "discard": "discarded"}


def result_of(query: Mapping[str, str]) -> str:
    """A sentence, or "" when nothing was done."""
    done, count = query.get("done", ""), query.get("count", "")
    if done not in _DONE or not (count.isascii() and count.isdigit() and len(count) < 12):
        return ""
    many = int(count)
    if not many:
        return (
            "Nothing was changed: no message fits any more. Somebody was faster, or is at it now."
        )
    return f"{number(many)} {'message is' if many == 1 else 'messages are'} {_DONE[done]}."
