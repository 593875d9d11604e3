"""Puts a piece of Python into a file that its owner may have changed since it was written.

A fragment is a module of its own. Its imports go behind the file's imports, and each of its
statements behind the last one of the same kind: a call of `orders.handle` behind the others, a
domain event behind the others, a method behind the public methods of its class. A variable that
the file has already is left as it is.
"""

import ast

from scaffold.reading import Function, bases, callee, class_named, names, targets


def merged(text: str, fragment: str) -> str:
    """`text` with all that `fragment` holds; ruff still has to sort and to space it."""
    for statement in ast.parse(fragment).body:
        source = _source(fragment, statement)
        known = class_named(text, statement.name) if isinstance(statement, ast.ClassDef) else None
        if isinstance(statement, ast.Import | ast.ImportFrom):
            text = _inserted(text, _last_import(text), source)
        elif known and isinstance(statement, ast.ClassDef):
            for method in (part for part in statement.body if isinstance(part, Function)):
                text = _inserted(text, _last_method(known), "\n" + _source(fragment, method))
        elif isinstance(statement, ast.Assign):
            if not set(targets(statement)) & names(text):
                text = _inserted(text, _last_import(text), f"\n{source}\n")
        elif not _is_docstring(statement):
            text = _with_statement(text, statement, source)
    return text


def with_member(text: str, name: str, member: str) -> str | None:
    """`text` with `member` at the end of the tuple or list `name`, or None if there is none."""
    for statement in ast.parse(text).body:
        value = getattr(statement, "value", None)
        if name in targets(statement) and isinstance(value, ast.Tuple | ast.List):
            last = value.elts[-1] if value.elts else None
            line, column = _end(last) if last else _end(value)
            added = f", {member}" if last else f"{member},"
            lines = text.encode().split(b"\n")
            column -= 0 if last else 1  # before the bracket
            lines[line - 1] = lines[line - 1][:column] + added.encode() + lines[line - 1][column:]
            return b"\n".join(lines).decode()
    return None


def _with_statement(text: str, statement: ast.stmt, source: str) -> str:
    kind = _kind(statement)
    before = [_end(node)[0] for node in ast.parse(text).body if kind and _kind(node) == kind]
    if not before:
        return f"{text.rstrip()}\n\n{source}\n"
    is_call = isinstance(statement, ast.Expr)
    return _inserted(text, before[-1], source if is_call else f"\n\n{source}\n")


def _kind(statement: ast.stmt) -> str:
    if isinstance(statement, ast.ClassDef):
        return f"class of {bases(statement)}"
    return callee(statement) if isinstance(statement, ast.Expr) else ""


def _last_import(text: str) -> int:
    """The number of the line behind which imports go: the last import's, else the docstring's."""
    body = ast.parse(text).body
    docstring = [node for node in body[:1] if _is_docstring(node)]
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return max((_end(node)[0] for node in (*docstring, *imports)), default=0)


def _last_method(known: ast.ClassDef) -> int:
    """The number of the last line of a class's last public method, else of the class."""
    methods = [part for part in known.body if isinstance(part, Function)]
    public = [part for part in methods if not part.name.startswith("_")]
    return _end(public[-1] if public else known)[0]


def _is_docstring(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _source(text: str, node: ast.stmt) -> str:
    """The lines of a statement, with its decorators."""
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
    return "\n".join(text.split("\n")[first - 1 : _end(node)[0]])


def _end(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.end_lineno or 0, node.end_col_offset or 0


def _inserted(text: str, line: int, added: str) -> str:
    """`text` with `added` below a line, which is counted from 1."""
    lines = text.split("\n")
    return "\n".join([*lines[:line], added, *lines[line:]])
