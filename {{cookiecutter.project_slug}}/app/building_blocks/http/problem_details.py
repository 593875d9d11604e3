"""Errors over HTTP as RFC 9457 problem details. No stack trace leaves the service."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from app.building_blocks.errors import ConflictError, DomainError, EventRefusedError, NotFoundError

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


def install_problem_details(app: FastAPI) -> None:
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
        log.warning("a value does not fit", path=request.url.path, reason=str(error))
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "A value is too large or malformed")

    for kind in (OSError, InterfaceError, OperationalError, PoolTimeoutError):
        app.add_exception_handler(kind, _unavailable)


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    log.error("database is away", path=request.url.path, reason=repr(error))
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database cannot be used right now: try again",
        headers={"Retry-After": "5"},
    )
