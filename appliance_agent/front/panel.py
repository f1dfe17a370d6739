"""The panel's files. Only names found by walking the folder are served, so no path in a request can leave it."""

import asyncio
import os
import time
from pathlib import Path, PurePosixPath

from aiohttp import web

from appliance_agent.front import answers

INDEX = "index.html"
HASHED = "assets/"
"""The panel's build puts a hash of the content into every name below this folder."""
FOREVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""Our own list: the system's differs from machine to machine, and with nosniff a wrong type is a dead page."""
LOOK_AGAIN_S = 2.0
FILE_LIMIT = 10_000


class Panel:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._looked_at = 0.0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method not in {"GET", "HEAD"}:
            return answers.error(405, "http.method", "Files are read only.")
        name = request.path.removeprefix("/") or INDEX
        file = await self._find(name)
        if file is None and PurePosixPath(name).suffix not in TYPES:
            # A client route such as /records/1732.4: the page itself decides what to show.
            name = INDEX
            file = await self._find(INDEX)
            if file is None:
                return answers.error(503, "panel.missing", "The panel's files are not installed on this box.")
        if file is None:
            return answers.error(404, "http.not_found", "There is nothing at this address.")
        cache = FOREVER if name.startswith(HASHED) else REVALIDATE
        kind = TYPES.get(file.suffix, "application/octet-stream")
        return web.FileResponse(file, headers={"Cache-Control": cache, "Content-Type": kind})

    async def _find(self, name: str) -> Path | None:
        if name not in self._files and time.monotonic() - self._looked_at > LOOK_AGAIN_S:
            self._looked_at = time.monotonic()
            self._files = await asyncio.to_thread(_walk, self._folder)
        return self._files.get(name)


def _walk(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for parent, _folders, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink() and len(found) < FILE_LIMIT:
                found[path.relative_to(folder).as_posix()] = path
    return found
