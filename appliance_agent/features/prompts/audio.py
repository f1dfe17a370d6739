"""Any sound → what Asterisk plays: 8 kHz, mono, 16 bit, one loudness. sox and espeak-ng do the work."""

import asyncio
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.files import fsync_folder, write_durably
from appliance_agent.kernel.process import run_program

RATE_HZ = 8000
LONGEST_S = 600
PEAK_DBFS = -3
"""All prompts peak at the same level. Telephony leaves the upper 3 dB free for codecs' overshoot."""

SOX_LIMIT_S = 60.0
SPEECH_LIMIT_S = 30.0

KINDS = "wav, mp3, ogg, opus, flac, aiff or au"

Language = Literal["zh", "en"]


def sniff(head: bytes) -> str | None:
    """sox's name of the format that a file's first bytes tell, or None.

    Told to sox by name: left to guess, it would also open play lists, which name other files.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"OggS":
        return "opus" if b"OpusHead" in head[:64] else "ogg"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "mp3"
    return {b"fLaC": "flac", b".snd": "au"}.get(head[:4])


class SpeechEngine(Protocol):
    """Turns text into a sound file that sox reads as wav."""

    async def speak(self, text: str, language: Language, target: Path) -> None:
        """Raises Fault when it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Espeak:
    """espeak-ng: small and always there; a placeholder until a licensed voice is."""

    words_per_minute: int = 150

    async def speak(self, text: str, language: Language, target: Path) -> None:
        voice = {"zh": "cmn", "en": "en-us"}[language]
        args = ["espeak-ng", "--stdin", "-b", "1", "-v", voice, "-s", str(self.words_per_minute), "-w", str(target)]
        try:
            done = await run_program(args, folder=target.parent, stdin=text.encode("utf-8"), limit_s=SPEECH_LIMIT_S)
        except (TimeoutError, OSError) as error:
            raise _unavailable("speech", error) from error
        if done.status != 0:
            raise Fault(FaultKind.INTERNAL, "prompt.speech_failed", f"The speech engine failed: {done.errors[-200:]}")


class PromptAudio:
    """The folder of prompts. One conversion at a time: calls need the processor more."""

    def __init__(self, folder: Path, engine: SpeechEngine) -> None:
        self._folder = folder
        self._engine = engine
        self._turn = asyncio.Semaphore(1)

    def path(self, prompt_id: str) -> Path:
        """`prompt_id` is a checked PromptId: 32 hex digits, nothing that leads elsewhere."""
        assert len(prompt_id) == 32 and set(prompt_id) <= set("0123456789abcdef"), "only checked ids get here"
        return self._folder / f"{prompt_id}.wav"

    def on_disk(self) -> frozenset[str]:
        """Ids that have audio. Blocking."""
        return frozenset(file.stem for file in self._folder.glob("*.wav"))

    async def add_upload(self, prompt_id: str, source: Path) -> float:
        """Converts the uploaded file into the prompt; returns its seconds. Raises Fault: no audio, or too long."""
        head = await asyncio.to_thread(_head, source)
        kind = sniff(head)
        if kind is None:
            raise Fault(
                FaultKind.INVALID, "prompt.not_audio", "This file is not a sound that can be read",
                hint=f"Upload {KINDS}.",
            )  # fmt: skip
        async with self._turn:
            return await self._convert(prompt_id, source, kind)

    async def add_speech(self, prompt_id: str, text: str, language: Language) -> float:
        """Speaks `text` into the prompt; returns its seconds. Raises Fault."""
        async with self._turn:
            with tempfile.TemporaryDirectory(prefix="speech-", dir=self._folder) as folder:
                spoken = Path(folder) / "spoken.wav"
                await self._engine.speak(text, language, spoken)
                return await self._convert(prompt_id, spoken, "wav")

    async def _convert(self, prompt_id: str, source: Path, kind: str) -> float:
        with tempfile.TemporaryDirectory(prefix="convert-", dir=self._folder) as folder:
            target = Path(folder) / "out.wav"
            args = [
                "sox", "-V1", "-t", kind, str(source), "-t", "wav", "-e", "signed-integer", "-b", "16", "-c", "1",
                "-r", str(RATE_HZ), str(target), "trim", "0", str(LONGEST_S + 1), "gain", "-n", str(PEAK_DBFS),
            ]  # fmt: skip
            try:
                done = await run_program(args, folder=Path(folder), limit_s=SOX_LIMIT_S)
            except TimeoutError as error:
                raise Fault(
                    FaultKind.INVALID, "prompt.too_slow", f"Reading this sound took longer than {SOX_LIMIT_S:.0f} s",
                    hint="Upload a shorter sound, or convert it to wav first.",
                ) from error  # fmt: skip
            except OSError as error:
                raise _unavailable("conversion", error) from error
            if done.status != 0:
                raise Fault(
                    FaultKind.INVALID, "prompt.not_audio", "This sound is damaged or of a kind that cannot be read",
                    hint=f"Upload {KINDS}.",
                )  # fmt: skip
            return await asyncio.to_thread(_publish, target, self.path(prompt_id))


def _head(source: Path) -> bytes:
    with source.open("rb") as file:
        return file.read(64)


def _publish(converted: Path, final: Path) -> float:
    """Checks what sox made and gives it its name, durably. Raises Fault."""
    with wave.open(str(converted), "rb") as sound:
        # Counted, not believed: where nothing was to write, the box's sox leaves a header of "unknown length".
        frames = len(sound.readframes(sound.getnframes())) // sound.getsampwidth()
        seconds = frames / sound.getframerate()
    if seconds > LONGEST_S:
        raise Fault(
            FaultKind.INVALID, "prompt.too_long", f"This sound is longer than {LONGEST_S // 60} minutes",
            hint="Cut it, or use several prompts.",
        )  # fmt: skip
    if seconds == 0:
        raise Fault(FaultKind.INVALID, "prompt.empty", "This sound has no length", hint=f"Upload {KINDS}.")
    write_durably(converted, converted.read_bytes(), mode=0o640)
    converted.replace(final)
    fsync_folder(final.parent)
    return seconds


def _unavailable(what: str, error: Exception) -> Fault:
    return Fault(FaultKind.UNAVAILABLE, f"prompt.{what}_unavailable", f"The box's {what} does not work now: {error!r}")
