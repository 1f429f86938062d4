"""What browsers load beside pages: by names that change with the content, and so may be kept for ever."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from schedulerd.web.routers import page_router

FOLDER: Final = Path(__file__).parent / "static"
_HASH_LENGTH: Final = 12
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticFile:
    """One of them."""

    content: bytes
    packed: bytes
    media_type: str


class StaticFiles:
    """All files of the folder, read once. `url` gives where a browser finds one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files: Final = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        every = hashlib.sha256()
        for name, file in self._files.items():
            every.update(f"{name}\0{len(file.content)}\0".encode() + file.content)
        # One hash for all: modules import one another by relative names, which so lie beside each other.
        self._hash: Final = every.hexdigest()[:_HASH_LENGTH]

    def url(self, name: str) -> str:
        """Where it is; raises `KeyError` for one that is not there."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self._hash}/{name}"

    def router(self) -> APIRouter:
        """The route that serves them."""
        router = page_router()

        @router.get("/static/{version}/{name:path}", name="static")
        async def static(request: Request, version: str, name: str) -> Response:
            file = self._files.get(name)
            if file is None or version != self._hash:
                raise HTTPException(404, "there is no such file")
            return _answer(file, packs="gzip" in request.headers.get("accept-encoding", ""))

        return router


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return StaticFile(content=content, packed=gzip.compress(content, 9, mtime=0), media_type=kind)


def _answer(file: StaticFile, *, packs: bool) -> Response:
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if packs and len(file.packed) < len(file.content):
        headers["Content-Encoding"] = "gzip"
    return Response(
        file.packed if "Content-Encoding" in headers else file.content,
        media_type=file.media_type,
        headers=headers,
    )
