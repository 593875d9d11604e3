"""Settings that cannot be used are told in sentences, all at once."""

from pathlib import Path

import pytest

from app.building_blocks.errors import ConfigurationError
from app.building_blocks.retry_policy import RetryPolicy
from app.settings import load_settings


def problems() -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    return refused.value.problems


BAD = [
    ("SERVICE_NAME", "My Service"),
    ("SERVICE_NAME", "x" * 51),
    ("OUTBOX_PUBLISHER_ENABLED", "perhaps"),
    ("OUTBOX_POLL_INTERVAL", "0"),
    ("OUTBOX_POLL_INTERVAL", "nan"),
    ("OUTBOX_POLL_INTERVAL", "inf"),
    ("OUTBOX_BATCH_SIZE", "0"),
    ("OUTBOX_BATCH_SIZE", "1001"),
    ("OUTBOX_RETENTION_HOURS", "-1"),
    ("OUTBOX_RETENTION_HOURS", "inf"),
    # No database reckons a time that long ago.
    ("OUTBOX_RETENTION_HOURS", "100000000"),
    ("RETRY_MAX_RETRIES", "-1"),
    ("RETRY_MAX_RETRIES", "ten"),
    ("RETRY_MAX_RETRIES", "1.5"),
    ("RETRY_BASE_DELAY", "0"),
    ("RETRY_MAX_DELAY", "-1"),
    ("RETRY_MAX_DELAY", "inf"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    [problem] = problems()
    assert problem.startswith(f"{name}='{value}' cannot be used: ")
    assert problem.endswith(".")
    assert "\n" not in problem


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RETRY_MAX_RETRIES", "-1"), ("LOG_LEVEL", "LOUD"), ("SERVICE_NAME", "é")):
        monkeypatch.setenv(name, value)
    assert [problem.partition("=")[0] for problem in problems()] == [
        "SERVICE_NAME", "RETRY_MAX_RETRIES", "LOG_LEVEL",
    ]  # fmt: skip


def test_urls_of_another_kind_are_told_with_all_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "oracle://scott:tiger@host/db")
    monkeypatch.setenv("BROKER_URL", "carrier-pigeon://scott:tiger@loft")
    monkeypatch.setenv("RETRY_MAX_RETRIES", "-1")
    database, broker, retries = problems()
    assert database.startswith("DATABASE_URL starts with oracle://, ")
    assert broker.startswith("BROKER_URL starts with carrier-pigeon://, ")
    assert retries.startswith("RETRY_MAX_RETRIES='-1' cannot be used: ")
    assert "tiger" not in database + broker


def test_delays_that_contradict_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_BASE_DELAY", "10")
    monkeypatch.setenv("RETRY_MAX_DELAY", "5")
    assert problems() == ("RETRY_MAX_DELAY must not be less than RETRY_BASE_DELAY.",)


def test_what_is_not_set_has_a_default() -> None:
    settings = load_settings()
    assert settings.retry_policy == RetryPolicy(max_retries=10, base_delay=1.0, max_delay=300.0)
    assert settings.outbox_publisher_enabled
    assert (settings.outbox_poll_interval, settings.outbox_retention_hours) == (1.0, 24.0)


def test_the_environment_comes_before_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("RETRY_MAX_RETRIES=3\nLOG_LEVEL=ERROR\nUNKNOWN=1\n")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    settings = load_settings()
    assert (settings.retry_max_retries, settings.log_level) == (3, "WARNING")


def test_a_setting_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_MAX_RETRIES", "")
    assert load_settings().retry_max_retries == 10


def test_a_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_TOKEN", "hunter2-hunter2-hunter2")
    assert "hunter2" not in repr(load_settings())


@pytest.mark.parametrize("token", ["hunter2", "fifteen-letters", " " * 20, "short" + " " * 20])
def test_a_token_that_can_be_guessed_is_refused_and_not_told(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("OPS_TOKEN", token)
    [problem] = problems()
    assert problem.startswith("OPS_TOKEN has fewer than 16 characters: ")
    assert token.strip() == "" or token not in problem
