"""Reads what a form on an operator page sent, if it was one of ours."""

from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from app.building_blocks.ops.visit import RefusedError

_MOST_BYTES = 32 << 10
_MOST_FIELDS = 50
_FORM = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """The fields of it. Raises RefusedError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send a form, as {_FORM}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The form is too long.")
    try:
        fields = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "The form is not readable.") from error
    return dict(fields)


def check_origin(request: Request) -> None:
    """Raises RefusedError when the browser says that the form is on another site.

    On HTTPS browsers say so by themselves. Else it is told by its origin, which a proxy that
    renames the host would make look foreign. A browser that says nothing, or `null`, which is all
    that it says without a referrer, proves nothing: the form's own token has to.
    """
    headers = request.headers
    site, origin = headers.get("sec-fetch-site"), headers.get("origin", "null")
    is_at_home = origin == "null" or urlsplit(origin).netloc == headers.get("host")
    if site not in ("same-origin", "none") if site else not is_at_home:
        raise RefusedError(HTTPStatus.FORBIDDEN, "This form was sent from another site.")
