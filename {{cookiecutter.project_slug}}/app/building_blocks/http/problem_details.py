"""Errors over HTTP as RFC 9457 problem details. No stack trace leaves the service."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import (
    BusyError,
    ConflictError,
    DomainError,
    EventRefusedError,
    NotFoundError,
)

_WITH_BODY = {"POST", "PUT", "PATCH"}

log = structlog.get_logger(__name__)


def problem(
    status: int, detail: str | None = None, headers: Any = None, **more: Any
) -> JSONResponse:
    """One problem, its type left at `about:blank`: the title is the status' own phrase."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = detail
    return JSONResponse(
        body | jsonable_encoder(more),
        status,
        headers=headers,
        media_type="application/problem+json",
    )


def install_problem_details(app: FastAPI, database: Database) -> None:
    """Turn every error that a route is known to raise into a problem."""

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"location": list(e["loc"]), "message": e["msg"], "kind": e["type"]}
            for e in error.errors()
        ]
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid", errors=errors)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.BAD_REQUEST and request.method in _WITH_BODY:
            # A body that is not even text, or too deep: invalid like any other.
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error.detail))
        return problem(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(NotFoundError)
    async def not_found(request: Request, error: NotFoundError) -> JSONResponse:
        return problem(HTTPStatus.NOT_FOUND, str(error))

    @app.exception_handler(ConflictError)
    @app.exception_handler(DomainError)
    async def conflict(request: Request, error: Exception) -> JSONResponse:
        return problem(HTTPStatus.CONFLICT, str(error))

    @app.exception_handler(DataError)
    @app.exception_handler(EventRefusedError)
    async def unfit(request: Request, error: Exception) -> JSONResponse:
        log.warning("a value does not fit", path=request.url.path, reason=_without_values(error))
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "A value is too large or malformed")

    async def away_or_unexpected(request: Request, error: Exception) -> JSONResponse:
        if not database.is_away(error):
            raise error
        log.error("database is away", path=request.url.path, reason=str(error))
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The database cannot be used right now: try again",
            headers={"Retry-After": "5"},
        )

    for kind in (OSError, SQLAlchemyError, BusyError):
        app.add_exception_handler(kind, away_or_unexpected)


def _without_values(error: Exception) -> str:
    """What a driver says of a value may quote it."""
    return type(error.orig).__name__ if isinstance(error, DataError) else str(error)
