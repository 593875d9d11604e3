"""When to try again: so often, so long, never longer than the longest."""

import itertools
import math
import random

import pytest

from app.building_blocks.retry_policy import RetryPolicy


def no_jitter() -> float:
    return 0.5


def delays(policy: RetryPolicy, count: int) -> list[float | None]:
    return [policy.delay_after(attempts, chance=no_jitter) for attempts in range(1, count + 1)]


def test_each_wait_is_twice_as_long_up_to_the_longest_and_then_it_ends() -> None:
    policy = RetryPolicy(max_retries=6, base_delay=1, max_delay=10)
    assert delays(policy, 8) == [1, 2, 4, 8, 10, 10, None, None]


@pytest.mark.parametrize("max_retries", [0, 1, 10])
def test_a_message_is_run_once_more_than_it_is_retried(max_retries: int) -> None:
    policy = RetryPolicy(max_retries=max_retries)
    runs = next(n for n in itertools.count(1) if policy.delay_after(n) is None)
    assert runs == max_retries + 1


@pytest.mark.parametrize("factor", [1.0, 1.5, 3.0])
def test_the_factor_says_how_fast_waits_grow(factor: float) -> None:
    policy = RetryPolicy(base_delay=2, factor=factor)
    assert delays(policy, 3) == [2, 2 * factor, 2 * factor**2]


@pytest.mark.parametrize("jitter", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("chance", [0.0, 0.25, 0.5, math.nextafter(1.0, 0.0)])
def test_jitter_spreads_a_wait_evenly_on_both_sides(jitter: float, chance: float) -> None:
    delay = RetryPolicy(base_delay=10, jitter=jitter).delay_after(1, chance=lambda: chance)
    assert delay == pytest.approx(10 * (1 - jitter + 2 * jitter * chance))


def test_waits_stay_within_their_bounds_whatever_the_policy() -> None:
    dice = random.Random(20260101)
    for _ in range(2000):
        base = dice.choice([0.0, dice.uniform(0, 10)])
        policy = RetryPolicy(
            max_retries=dice.choice([0, 5, 10**9]),
            base_delay=base,
            max_delay=base + dice.uniform(0, 1000),
            factor=dice.choice([1.0, dice.uniform(1, 10), 1e5]),
            jitter=dice.choice([0.0, dice.random(), 1.0]),
        )
        attempts = dice.choice([1, 2, 61, 10**6, policy.max_retries or 1])
        delay = policy.delay_after(attempts, chance=dice.random)
        if attempts > policy.max_retries:
            assert delay is None
        else:
            assert delay is not None
            least = policy.base_delay * (1 - policy.jitter)
            most = policy.max_delay * (1 + policy.jitter)
            assert least - 1e-9 <= delay <= most + 1e-9, policy


def test_an_error_that_no_retry_mends_is_final_at_once() -> None:
    policy = RetryPolicy(do_not_retry=(LookupError,))
    assert policy.delay_after(1, KeyError("a subclass counts")) is None
    assert policy.delay_after(1, ValueError("another")) is not None
    assert policy.delay_after(1) is not None


@pytest.mark.parametrize(
    "values",
    [
        {"max_retries": -1},
        {"base_delay": -0.1},
        {"base_delay": 2.0, "max_delay": 1.0},
        {"factor": 0.9},
        {"jitter": -0.1},
        {"jitter": 1.1},
        {"factor": math.nan},
        {"base_delay": math.nan},
        {"jitter": math.nan},
        {"timeout": 0.0},
        {"timeout": -1.0},
    ],
    ids=repr,
)
def test_a_policy_that_makes_no_sense_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        RetryPolicy(**values)  # type: ignore[arg-type]
