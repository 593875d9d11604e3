"""The arithmetic of retries, for any policy."""

from hypothesis import given
from hypothesis import strategies as st

from app.building_blocks.retry_policy import RetryPolicy

policies = st.builds(
    lambda retries, base, extra, factor, jitter: RetryPolicy(
        max_retries=retries,
        base_delay=base,
        max_delay=base + extra,
        factor=factor,
        jitter=jitter,
    ),
    st.integers(0, 1000),
    st.floats(0, 1e6),
    st.floats(0, 1e9),
    st.floats(1, 1e6),
    st.floats(0, 1),
)
chances = st.floats(0, 1, exclude_max=True)


@given(policies, st.integers(1, 2000), chances)
def test_a_delay_is_never_negative_nor_above_the_limit_with_its_jitter(
    policy: RetryPolicy, attempts: int, chance: float
) -> None:
    delay = policy.delay_after(attempts, chance=lambda: chance)
    assert (delay is None) == (attempts > policy.max_retries)
    assert delay is None or 0 <= delay <= policy.max_delay * (1 + policy.jitter)


@given(policies, st.integers(1, 999))
def test_without_chance_delays_never_shrink(policy: RetryPolicy, attempts: int) -> None:
    now, later = (policy.delay_after(n, chance=lambda: 0.5) for n in (attempts, attempts + 1))
    assert now is None or later is None or now <= later


@given(policies)
def test_there_are_exactly_max_retries_plus_one_runs(policy: RetryPolicy) -> None:
    runs = 1
    while policy.delay_after(runs) is not None:
        runs += 1
    assert runs == policy.max_retries + 1


@given(policies, st.integers(1, 1000))
def test_an_error_not_worth_retrying_ends_it_at_any_attempt(
    policy: RetryPolicy, attempts: int
) -> None:
    strict = RetryPolicy(policy.max_retries, do_not_retry=(LookupError,))
    assert strict.delay_after(attempts, KeyError("final")) is None
