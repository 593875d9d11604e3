"""The style sheet, the script and the icon, as they lie beside this module."""

import hashlib
from http import HTTPStatus
from pathlib import Path

from starlette.responses import Response

from app.building_blocks.ops.visit import RefusedError, Visit

_FOLDER = Path(__file__).with_name("static")
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Assets:
    """Read once, at the start."""

    def __init__(self) -> None:
        self._files = {
            path.name: path.read_bytes() for path in _FOLDER.iterdir() if path.suffix in _KINDS
        }

    def url(self, name: str) -> str:
        """Another one whenever the file changes, so that browsers may keep it."""
        version = hashlib.sha256(self._files[name]).hexdigest()[:12]
        return f"/ops/static/{name}?v={version}"

    async def serve(self, visit: Visit) -> Response:
        """Raises RefusedError."""
        name = visit.request.path_params["name"]
        if name not in self._files:
            raise RefusedError(HTTPStatus.NOT_FOUND, "There is no such file.")
        kind = _KINDS[Path(name).suffix]
        return Response(
            self._files[name],
            media_type=kind,
            headers={"Cache-Control": "private, max-age=86400"},
        )
