"""HTTP routes of the prompts."""

import asyncio
import tempfile
from pathlib import Path

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import ValidationError

from appliance_agent.features.prompts.model import PromptView, SpeechOrder, UploadFields
from appliance_agent.features.prompts.service import Prompts, unknown
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault

UPLOAD_LIMIT = 20 * 1024 * 1024
FORM_LIMIT = UPLOAD_LIMIT + 64 * 1024
"""The file, the other fields and the form's own lines."""
FIELD_LIMIT = 4096
MOST_PARTS = 8


class PromptsApi:
    def __init__(self, prompts: Prompts, uploads: Path) -> None:
        """`uploads`: the folder below which files are received; on the data partition, not in memory."""
        self._prompts, self._uploads = prompts, uploads

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/prompts", Role.ADMIN, self._upload, "Upload a sound (form: file, name, language)",
                  reply=PromptView, status=201, body_limit=FORM_LIMIT, multipart=True),
            Route("POST", "/prompts/speech", Role.ADMIN, self._speak, "Speak a text into a prompt",
                  body=SpeechOrder, reply=PromptView, status=201),
            Route("GET", "/prompts/{id}/audio", Role.TECHNICIAN, self._audio, "The prompt's sound",
                  reply="binary", media="audio/wav", errors=(404,)),
        ]  # fmt: skip

    async def _upload(self, call: Call) -> PromptView:
        with tempfile.TemporaryDirectory(prefix="upload-", dir=self._uploads) as folder:
            source = Path(folder) / "uploaded"
            fields = await self._receive(call.request, source)
            return await self._prompts.upload(call.who, fields, source)

    async def _speak(self, call: Call) -> PromptView:
        order: SpeechOrder = call.body
        return await self._prompts.speak(call.who, order)

    async def _audio(self, call: Call) -> web.StreamResponse:
        file = self._prompts.file(call.path["id"])
        if not await asyncio.to_thread(file.is_file):
            raise unknown(call.path["id"])
        return web.FileResponse(file, headers={"Content-Type": "audio/wav", "Cache-Control": "private, max-age=3600"})

    async def _receive(self, request: web.Request, source: Path) -> UploadFields:
        """The file's own name is not looked at. Raises Fault."""
        texts: dict[str, str] = {}
        received = False
        try:
            form = await request.multipart()
            for _ in range(MOST_PARTS):
                part = await form.next()
                if part is None:
                    break
                if not isinstance(part, BodyPartReader):
                    raise _form("a form within a form", "file")
                if part.name == "file" and not received:
                    received = True
                    await _save(part, source)
                else:
                    texts[part.name or ""] = await _text(part)
            else:
                raise _form(f"more than {MOST_PARTS} fields", "file")
        except (ValueError, AssertionError, RuntimeError, HttpProcessingError) as error:
            # aiohttp's reader raises these for a form that is broken or cut off.
            raise _form("it is broken or cut off", "file") from error
        if not received:
            raise _form("there is no file in it", "file")
        try:
            return UploadFields.model_validate(texts)
        except ValidationError as error:
            first = error.errors()[0]
            raise _form(str(first["msg"]), "/".join(str(place) for place in first["loc"])) from error


async def _save(part: BodyPartReader, target: Path) -> None:
    size = 0
    with await asyncio.to_thread(target.open, "wb") as file:
        while chunk := await part.read_chunk(256 * 1024):
            size += len(chunk)
            if size > UPLOAD_LIMIT:
                raise Fault(
                    FaultKind.TOO_LARGE, "prompt.too_large", f"The file is larger than {UPLOAD_LIMIT >> 20} MiB",
                    hint="Convert it to mp3 or ogg, or cut it.", fields=[FieldFault("file", "too large")],
                )  # fmt: skip
            await asyncio.to_thread(file.write, chunk)


async def _text(part: BodyPartReader) -> str:
    data = bytearray()
    while chunk := await part.read_chunk(FIELD_LIMIT):
        data += chunk
        if len(data) > FIELD_LIMIT:
            raise _form("a field is too long", part.name or "")
    return data.decode("utf-8")


def _form(message: str, path: str) -> Fault:
    return Fault(
        FaultKind.INVALID, "request.form", f"The form cannot be used: {message}",
        hint="Send multipart/form-data with file, name and language (zh or en).",
        fields=[FieldFault(path, message)],
    )  # fmt: skip
