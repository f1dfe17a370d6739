"""New prompts: audio first, then the draft knows them. Audio is kept as long as any version may need it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from appliance_agent.config.model import Prompt
from appliance_agent.config.text import PromptId
from appliance_agent.features.prompts.audio import PromptAudio
from appliance_agent.features.prompts.model import PromptView, SpeechOrder, UploadFields
from appliance_agent.http.route import Identity
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.ids import new_id

AddPrompt = Callable[[Identity, Prompt], Awaitable[None]]
_ID = TypeAdapter(PromptId)


class Prompts:
    def __init__(self, audio: PromptAudio, add: AddPrompt) -> None:
        """`add` puts the prompt into the draft."""
        self._audio, self._add = audio, add

    async def upload(self, who: Identity, fields: UploadFields, source: Path) -> PromptView:
        """Raises Fault: not audio, too long, damaged."""
        prompt = Prompt(id=new_id(), name=fields.name, language=fields.language, source="upload")
        seconds = await self._audio.add_upload(prompt.id, source)
        return await self._added(who, prompt, seconds)

    async def speak(self, who: Identity, order: SpeechOrder) -> PromptView:
        """Raises Fault: the engine failed or is missing."""
        prompt = Prompt(id=new_id(), name=order.name, language=order.language, source="speech", text=order.text)
        seconds = await self._audio.add_speech(prompt.id, order.text, order.language)
        return await self._added(who, prompt, seconds)

    def file(self, prompt_id: str) -> Path:
        """The audio's path; whether it is there is the caller's to see. Raises Fault for anything but an id."""
        try:
            return self._audio.path(_ID.validate_python(prompt_id))
        except ValidationError as error:
            raise unknown(prompt_id) from error

    async def _added(self, who: Identity, prompt: Prompt, seconds: float) -> PromptView:
        await self._add(who, prompt)
        return PromptView(
            id=prompt.id, name=prompt.name, language=prompt.language, source=prompt.source, text=prompt.text,
            seconds=round(seconds, 2),
        )  # fmt: skip


def unknown(prompt_id: str) -> Fault:
    return Fault(FaultKind.NOT_FOUND, "prompt.unknown", f"There is no prompt {prompt_id[:40]!r}")
