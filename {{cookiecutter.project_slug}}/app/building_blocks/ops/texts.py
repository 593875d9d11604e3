"""Text of strangers on a page: nothing in it hides, and long names break where one would."""

import re
from typing import Any

from markupsafe import Markup, escape

# Controls, and the marks by which the rest of a line would be shown in another order.
_UNSEEN = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F]
_UNSEEN += [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SPELLED = {
    sign: chr(sign).encode("unicode_escape").decode() for sign in _UNSEEN if chr(sign) not in "\n\t"
}
_END_OF_WORD = re.compile(r"(?<=[._])|(?<=[a-z])(?=[A-Z])")


def spelled_out(value: Any) -> Any:
    """A text without signs that cannot be seen, and that could make it read as another."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.translate(_SPELLED)
    return value


def breakable(name: str) -> Markup:
    """A name of the code, which may go on in the next line where a word of it ends."""
    return Markup(_END_OF_WORD.sub("<wbr>", escape(spelled_out(name))))  # noqa: S704 - escaped
