"""Where the operator pages are, and whether there are any."""

import structlog
from pydantic import SecretStr

HOME = "/ops"

log = structlog.get_logger(__name__)


def say_whether_on(token: SecretStr | None) -> None:
    """One line in the log."""
    if token is None:
        log.info("operator pages are off: set OPS_TOKEN to a long random text, then open /ops")
    else:
        log.info("operator pages are on", path=HOME)
