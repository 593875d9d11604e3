"""When to try again: exponential back-off with jitter."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed message is tried again, and how long to wait before each time.

    Times are in seconds. The n-th retry waits `base_delay * factor ** (n - 1)`, at most
    `max_delay`, give or take the share `jitter` of it, so that many failures do not come back
    at once. Exceptions of a class in `do_not_retry` are final the first time. `timeout` ends a
    handler that takes longer.
    """

    max_retries: int = 10
    base_delay: float = 1.0
    max_delay: float = 300.0
    factor: float = 2.0
    jitter: float = 0.2
    do_not_retry: tuple[type[Exception], ...] = ()
    timeout: float | None = None

    def __post_init__(self) -> None:
        # Said positively, so that NaN fails too.
        if not (self.max_retries >= 0 and 0 <= self.base_delay <= self.max_delay < inf):
            raise ValueError("max_retries and base_delay are 0 or more, max_delay >= base_delay")
        if not (1 <= self.factor < inf and 0 <= self.jitter <= 1):
            raise ValueError("factor is 1 or more, jitter from 0 to 1")
        if self.timeout is not None and not self.timeout > 0:
            raise ValueError("timeout is more than 0 seconds, or None")

    def delay_after(
        self,
        attempts: int,
        error: Exception | None = None,
        chance: Callable[[], float] = random.random,
    ) -> float | None:
        """Seconds until the next try after `attempts` failed ones, or None to give up."""
        if attempts > self.max_retries or isinstance(error, self.do_not_retry):
            return None
        try:
            delay = min(self.base_delay * self.factor ** (attempts - 1), self.max_delay)
        except OverflowError:
            delay = self.max_delay if self.base_delay else 0.0
        return delay * (1 + self.jitter * (2 * chance() - 1))
