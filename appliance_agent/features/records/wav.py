"""Recording spool → WAV and its waveform. Blocking, in bounded memory; call by asyncio.to_thread."""

import array
import hashlib
import json
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appliance_agent.kernel.files import fsync_folder, write_atomically

RATE = 8000
CHANNELS = 2
FRAME_BYTES = 4
"""Two samples of 16 bit: left = outside party's side of the recorded leg, right = what that leg hears."""
HEADER_BYTES = 44
MOST_PEAKS = 2000
_CHUNK_BYTES = 262_144
_MAX_DATA_BYTES = 0xFFFF_FFFF - HEADER_BYTES


@dataclass(frozen=True, slots=True)
class Wav:
    frames: int
    size_bytes: int
    sha256: str

    @property
    def duration_ms(self) -> int:
        return self.frames * 1000 // RATE


def finish(raw: Path, target: Path) -> Wav:
    """Write `raw` (s16le, 8 kHz, interleaved stereo) as WAV to `target`: whole or not at all. `raw` stays.

    A torn last frame (Asterisk killed) is left out. Raises OSError.
    """
    frames = min(raw.stat().st_size, _MAX_DATA_BYTES) // FRAME_BYTES
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    part = target.with_name(target.name + ".part")
    digest = hashlib.sha256()
    with raw.open("rb") as source, part.open("wb") as file:
        for piece in _pieces(source, frames):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
    fsync_folder(target.parent)
    return Wav(frames, HEADER_BYTES + frames * FRAME_BYTES, digest.hexdigest())


def _pieces(source: BinaryIO, frames: int) -> Iterator[bytes]:
    yield header(frames)
    left = frames * FRAME_BYTES
    while left:
        piece = source.read(min(left, _CHUNK_BYTES))
        if not piece:
            raise OSError(f"{source.name} became shorter while it was read")
        left -= len(piece)
        yield piece


def header(frames: int) -> bytes:
    size = frames * FRAME_BYTES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", size + HEADER_BYTES - 8, b"WAVE", b"fmt ", 16, 1, CHANNELS, RATE,
        RATE * FRAME_BYTES, FRAME_BYTES, 16, b"data", size,
    )  # fmt: skip


def inspect(target: Path) -> Wav | None:
    """A WAV that was finished before; None when there is none."""
    try:
        with target.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            size = file.tell()
    except FileNotFoundError:
        return None
    return Wav(max(0, size - HEADER_BYTES) // FRAME_BYTES, size, digest.hexdigest())


def peaks_path(wav: Path) -> Path:
    return wav.with_suffix(".peaks.json")


@dataclass(frozen=True, slots=True)
class Peaks:
    rate: float
    """Points a second."""
    left: tuple[float, ...]
    """Largest amplitude of each stretch, 0..1."""
    right: tuple[float, ...]


def load_peaks(wav: Path) -> Peaks:
    """From the file beside the WAV; made when it is missing or broken. Raises FileNotFoundError, OSError."""
    path = peaks_path(wav)
    try:
        body = json.loads(path.read_bytes())
        return Peaks(float(body["rate"]), tuple(body["left"]), tuple(body["right"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return store_peaks(wav)


def store_peaks(wav: Path) -> Peaks:
    peaks = compute_peaks(wav)
    body = {"rate": peaks.rate, "left": peaks.left, "right": peaks.right}
    write_atomically(peaks_path(wav), json.dumps(body, separators=(",", ":")).encode(), mode=0o640)
    return peaks


def compute_peaks(wav: Path) -> Peaks:
    frames = max(0, wav.stat().st_size - HEADER_BYTES) // FRAME_BYTES
    stretch = max(RATE // 50, -(-frames // MOST_PEAKS))
    left, right = [], []
    with wav.open("rb") as file:
        file.seek(HEADER_BYTES)
        while data := file.read(stretch * FRAME_BYTES):
            samples = array.array("h", data[: len(data) // FRAME_BYTES * FRAME_BYTES])
            if not samples:
                break
            if sys.byteorder == "big":
                samples.byteswap()
            left.append(_peak(samples[0::2]))
            right.append(_peak(samples[1::2]))
    return Peaks(RATE / stretch, tuple(left), tuple(right))


def _peak(samples: "array.array[int]") -> float:
    highest, lowest = max(samples), min(samples)
    return round(min(1.0, max(highest, -lowest) / 32767), 3)
