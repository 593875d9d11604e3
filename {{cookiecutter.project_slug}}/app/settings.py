"""Everything that can be set from outside, and what it is when nobody sets it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
)

from app.broker import check_broker_url
from app.building_blocks.context import ENVIRONMENT
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.retry_policy import RetryPolicy
from app.database import check_database_url

_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
_SHORTEST_TOKEN = 16
_HeaderName = Annotated[str, Field(pattern=r"^([A-Za-z0-9-]{1,100})?$")]
_TEN_YEARS_OF_HOURS = 10 * 365 * 24
_Seconds = Annotated[float, Field(gt=0, le=30 * 24 * 3600, allow_inf_nan=False)]


def _checked_by(check: Callable[[str], None]) -> Callable[[str], str]:
    def checked(url: str) -> str:
        try:
            check(url)
        except ConfigurationError as error:
            # Pydantic collects what is wrong with every setting; so all is told at once.
            raise ValueError(str(error)) from error
        return url

    return checked


def _hard_to_guess(token: SecretStr) -> SecretStr:
    if len(token.get_secret_value().strip()) < _SHORTEST_TOKEN:
        raise ValueError(
            f"OPS_TOKEN has fewer than {_SHORTEST_TOKEN} characters: take a long random one, such "
            "as `openssl rand -hex 32` writes."
        )
    return token


def _in_capitals(level: str) -> str:
    # Pydantic reads the signature of a validator: of `str.upper` itself that takes 2 ms.
    return str.upper(level)


class Settings(BaseSettings):
    """From the environment, else `.env`, else `[tool.service]` in pyproject.toml."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        pyproject_toml_table_header=("tool", "service"),
    )

    service_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")]
    database_url: Annotated[str, AfterValidator(_checked_by(check_database_url))]
    broker_url: Annotated[str, AfterValidator(_checked_by(check_broker_url))]

    environment: Annotated[str, Field(pattern=r"^([a-z0-9-]{1,50})?$")] = ""
    trust_environment_header: _HeaderName = ""
    trust_tenant_header: _HeaderName = ""

    outbox_publisher_enabled: bool = True
    outbox_poll_interval: _Seconds = 1.0
    outbox_batch_size: Annotated[int, Field(ge=1, le=1000)] = 500
    outbox_retention_hours: Annotated[float, Field(ge=0, le=_TEN_YEARS_OF_HOURS)] = 24.0

    retry_max_retries: Annotated[int, Field(ge=0)] = 10
    retry_base_delay: _Seconds = 1.0
    retry_max_delay: _Seconds = 300.0

    ready_max_backlog_age: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 300.0

    ops_token: Annotated[SecretStr, AfterValidator(_hard_to_guess)] | None = None
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_in_capitals)
    ] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @property
    def trusted_headers(self) -> dict[str, str]:
        """The request header that is believed, for each carrier that has one."""
        return {"tenant": self.trust_tenant_header, ENVIRONMENT: self.trust_environment_header}

    @property
    def retry_policy(self) -> RetryPolicy:
        """The policy of every subscription that has none of its own."""
        return RetryPolicy(self.retry_max_retries, self.retry_base_delay, self.retry_max_delay)

    @model_validator(mode="after")
    def _delays_fit(self) -> Self:
        if self.retry_max_delay < self.retry_base_delay:
            raise ValueError("RETRY_MAX_DELAY must not be less than RETRY_BASE_DELAY.")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        pyproject = PyprojectTomlConfigSettingsSource(settings_cls, _PYPROJECT)
        return init_settings, env_settings, dotenv_settings, pyproject


def load_settings() -> Settings:
    """Read them all. Raises ConfigurationError with one sentence for each bad value."""
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError(*(_sentence(problem) for problem in error.errors())) from None


def _sentence(problem: ErrorDetails) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    name = str(problem["loc"][0]).upper()
    if problem["type"] == "missing":
        return f"{name} is not set: set it in the environment, in .env or in pyproject.toml."
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{name}={problem['input']!r} cannot be used: {message}."
