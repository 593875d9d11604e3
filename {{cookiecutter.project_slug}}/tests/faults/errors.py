"""Why a run could not be made."""


class CannotRunError(Exception):
    """The text says what is wrong and what to do."""
