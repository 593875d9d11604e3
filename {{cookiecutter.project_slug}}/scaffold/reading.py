"""What is in a module of the service, read without running it."""

import ast
from collections import defaultdict
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef


def classes(text: str, base: str = "") -> list[ast.ClassDef]:
    """The classes at the top of a module, or those of them that derive from `base`."""
    found = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    return [node for node in found if not base or base in bases(node)]


def class_named(text: str, name: str) -> ast.ClassDef | None:
    """The class of that name at the top of a module."""
    return next((node for node in classes(text) if node.name == name), None)


def bases(node: ast.ClassDef) -> list[str]:
    """The names of a class's direct bases, without what is before a dot or in brackets."""
    return [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]


def names(text: str) -> set[str]:
    """The names at the top of a module: imports, classes, functions, variables."""
    return {name for statement in ast.parse(text).body for name, _ in bindings(statement)}


def members(node: ast.ClassDef) -> set[str]:
    """The names of a class's fields and methods."""
    return {name for statement in node.body for name, _ in bindings(statement)}


def targets(statement: ast.stmt) -> list[str]:
    """The names that an assignment gives a value."""
    if isinstance(statement, ast.Assign):
        return [ast.unparse(target) for target in statement.targets]
    return [ast.unparse(statement.target)] if isinstance(statement, ast.AnnAssign) else []


def callee(statement: ast.stmt) -> str:
    """What a statement calls, as in `orders.handle`; nothing when it is not a call."""
    value = getattr(statement, "value", None)
    return ast.unparse(value.func) if isinstance(value, ast.Call) else ""


def result_of(text: str, function: str) -> tuple[str, ast.Call] | None:
    """The variable that a module gives the result of calling `function`, and the call."""
    for statement in ast.parse(text).body:
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Call) and callee(statement).rpartition(".")[2] == function:
            for name in targets(statement):
                return name, value
    return None


def route_prefix(text: str) -> str | None:
    """The prefix of the `router` in a module, and None when there is no such thing to be read.

    Nor when it has a parameter, which a route that is added would not take.
    """
    found = result_of(text, "APIRouter")
    if found is None or found[0] != "router":
        return None
    values = [given.value for given in found[1].keywords if given.arg == "prefix"]
    text_of = [value.value for value in values if isinstance(value, ast.Constant)]
    prefix = text_of[0] if text_of else None
    return prefix if isinstance(prefix, str) and "{" not in prefix else None


def doubled_names(text: str) -> set[str]:
    """The names at the top of a module that stand for more than one thing."""
    sources: dict[str, set[str]] = defaultdict(set)
    for statement in ast.parse(text).body:
        for name, source in bindings(statement):
            sources[name].add(source)
    return {name for name, found in sources.items() if len(found) > 1}


def bindings(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Each name that a statement makes known, and where the thing is from."""
    here = f"line {statement.lineno}"
    if isinstance(statement, ast.Import | ast.ImportFrom):
        source = getattr(statement, "module", None) or "import"
        yield from ((name.asname or name.name, f"{source} {name.name}") for name in statement.names)
    elif isinstance(statement, ast.ClassDef | Function):
        yield statement.name, here
    else:
        yield from ((name, here) for name in targets(statement))
