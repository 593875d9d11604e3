"""Everything that can be set from outside, and what it is when nobody sets it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
)

from app.building_blocks.errors import ConfigurationError
from app.building_blocks.retry_policy import RetryPolicy

_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
_Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """From the environment, else `.env`, else `[tool.service]` in pyproject.toml."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,
        pyproject_toml_table_header=("tool", "service"),
    )

    service_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")]
    database_url: str
    broker_url: str

    outbox_publisher_enabled: bool = True
    outbox_poll_interval: _Seconds = 1.0
    outbox_batch_size: Annotated[int, Field(ge=1, le=1000)] = 100
    outbox_retention_hours: Annotated[float, Field(ge=0)] = 24.0

    retry_max_retries: Annotated[int, Field(ge=0)] = 10
    retry_base_delay: _Seconds = 1.0
    retry_max_delay: _Seconds = 300.0

    ops_token: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @property
    def retry_policy(self) -> RetryPolicy:
        """The policy of every subscription that has none of its own."""
        return RetryPolicy(self.retry_max_retries, self.retry_base_delay, self.retry_max_delay)

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
        settings = Settings()
    except ValidationError as error:
        raise ConfigurationError(*(_sentence(problem) for problem in error.errors())) from None
    if settings.retry_max_delay < settings.retry_base_delay:
        raise ConfigurationError("RETRY_MAX_DELAY must not be less than RETRY_BASE_DELAY.")
    return settings


def _sentence(problem: ErrorDetails) -> str:
    name = str(problem["loc"][0]).upper()
    if problem["type"] == "missing":
        return f"{name} is not set: set it in the environment, in .env or in pyproject.toml."
    return f"{name}={problem['input']!r} cannot be used: {problem['msg'].lower()}."
