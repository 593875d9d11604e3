"""Names: what can be one, and the forms in which the service writes it."""

import keyword
import re

LONGEST_FEATURE = 30
LONGEST_CLASS = 35
# They are the machinery's: routes, tables, and modules that a feature's own files import.
TAKEN = {"api", "app", "asyncapi", "docs", "health", "inbox", "metrics", "outbox", "redoc", "uows"}
# What an aggregate has, and a class of SQLModel's with a table: no method of its own is called so.
METHODS = {
    "construct", "copy", "dict", "id", "json", "metadata", "pull_events", "pull_recorded", "record",
    "registry", "schema", "validate", "version",
}  # fmt: skip
IRREGULAR = {
    "begin": "begun", "bring": "brought", "build": "built", "buy": "bought", "cancel": "cancelled",
    "choose": "chosen", "commit": "committed", "find": "found", "freeze": "frozen",
    "give": "given", "hold": "held", "keep": "kept", "lend": "lent", "lose": "lost",
    "make": "made", "pay": "paid", "permit": "permitted", "put": "put", "read": "read",
    "refer": "referred", "reset": "reset", "sell": "sold", "send": "sent", "set": "set",
    "split": "split", "submit": "submitted", "take": "taken", "tell": "told",
    "transfer": "transferred", "undo": "undone", "withdraw": "withdrawn", "write": "written",
}  # fmt: skip


class RefusedError(Exception):
    """Nothing was changed. The sentence says why, and what to do."""


def check_feature(name: str) -> None:
    """Raises RefusedError unless `name` can name a feature: its folder, table and variable."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        instead = "_".join(re.findall(r"[a-z0-9]+", snake(name)))
        raise RefusedError(
            f"{name!r} cannot name a feature: write lower-case words joined by underscores, "
            f"such as {instead if re.match('[a-z]', instead) else 'shipments'!r}."
        )
    _check_word(name, "a feature", LONGEST_FEATURE)
    if name in TAKEN:
        raise RefusedError(f"{name!r} belongs to the machinery: choose another name.")


def check_class(name: str, what: str, example: str) -> None:
    """Raises RefusedError unless `name` can name a class and, in lower case, a file."""
    if not re.fullmatch(r"([A-Z][a-z0-9]+)+", name):
        raise RefusedError(
            f"{name!r} cannot name {what}: write capitalised words without anything between them, "
            f"such as {example}."
        )
    _check_word(snake(name), what, LONGEST_CLASS)


def check_command(name: str) -> None:
    """Raises RefusedError unless `name` is a verb and what it acts on."""
    check_class(name, "a command", "ShipOrder")
    if "_" not in snake(name):
        raise RefusedError(f"{name!r} is one word: a command says what it acts on, as ShipOrder.")


def check_event(name: str, command: str) -> None:
    """Raises RefusedError unless `name` can name the domain event that `command` causes."""
    check_class(name, "a domain event", "OrderShipped")
    if name == command or name.endswith("IntegrationEvent"):
        raise RefusedError(f"{name!r} is no domain event: say what happened, as OrderShipped.")


def snake(name: str) -> str:
    """`ShipOrder` as `ship_order`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def pascal(name: str) -> str:
    """`return_labels` as `ReturnLabels`."""
    return "".join(word.capitalize() for word in name.split("_"))


def kebab(name: str) -> str:
    """`ShipOrder` or `ship_order` as `ship-order`."""
    return snake(name).replace("_", "-")


def words(name: str) -> str:
    """`ShipOrder` or `ship_order` as `ship order`."""
    return snake(name).replace("_", " ")


def with_article(noun: str) -> str:
    """`order` as `an order`."""
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def singular(name: str) -> str:
    """`shipments` as `shipment`; a word that it does not take for a plural stays as it is."""
    endings = {"ies": "y", "sses": "ss", "shes": "sh", "ches": "ch", "xes": "x"}
    for plural, single in endings.items():
        if name.endswith(plural):
            return name.removesuffix(plural) + single
    return name if name.endswith(("ss", "us", "is")) else name.removesuffix("s")


def past(verb: str) -> str:
    """`ship` as `shipped`, so that an event can be named after a command."""
    if verb in IRREGULAR:
        return IRREGULAR[verb]
    if verb.endswith("e"):
        return verb + "d"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", verb):
        return verb + verb[-1] + "ed"
    return verb + "ed"


def event_of(command: str) -> str:
    """`ShipOrder` as `OrderShipped`: what has happened once it is carried out."""
    verb, *rest = snake(command).split("_")
    return pascal("_".join([*rest, past(verb)]))


def _check_word(name: str, what: str, longest: int) -> None:
    if keyword.iskeyword(name):
        raise RefusedError(f"{name!r} is a word of Python and cannot name {what}: choose another.")
    if len(name) > longest:
        raise RefusedError(f"{name!r} has more than {longest} characters: choose a shorter name.")
