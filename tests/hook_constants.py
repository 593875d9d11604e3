"""Constants of the hooks, read without running a hook."""

import ast
from typing import Any

from bakery import TEMPLATE


def constant(hook: str, name: str) -> Any:
    """The value of a constant in a hook, read without running the hook."""
    for statement in ast.parse((TEMPLATE / "hooks" / hook).read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(statement.value)
    raise AssertionError(f"{hook} has no {name}")
