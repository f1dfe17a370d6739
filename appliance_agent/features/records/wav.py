"""Recording spool → WAV and its waveform. Blocking, in bounded memory; call by asyncio.to_thread."""

import array
import hashlib
import io
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
SAMPLE_BYTES = 2
FRAME_BYTES = 4
"""Two samples of 16 bit: left = what came from the outside party, right = what that party heard."""
HEADER_BYTES = 44
MOST_PEAKS = 2000
_CHUNK_FRAMES = 65_536
_MAX_DATA_BYTES = 0xFFFF_FFFF - HEADER_BYTES


@dataclass(frozen=True, slots=True)
class Wav:
    frames: int
    size_bytes: int
    sha256: str

    @property
    def duration_ms(self) -> int:
        return self.frames * 1000 // RATE


def finish(left: Path, right: Path, target: Path) -> Wav:
    """Write the two sides (s16le, 8 kHz, mono) as one stereo WAV to `target`: whole or not at all. They stay.

    The shorter side ends in silence; a side without a file is silent. A torn last sample (Asterisk killed) is left
    out. Raises OSError; FileNotFoundError when both are missing.
    """
    longest = max(size(left), size(right))
    if longest < 0:
        raise FileNotFoundError(f"neither {left.name} nor {right.name}")
    frames = min(longest // SAMPLE_BYTES, _MAX_DATA_BYTES // FRAME_BYTES)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    part = target.with_name(target.name + ".part")
    digest = hashlib.sha256()
    with _open(left) as came, _open(right) as went, part.open("wb") as file:
        for piece in _pieces(came, went, frames):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
    fsync_folder(target.parent)
    return Wav(frames, HEADER_BYTES + frames * FRAME_BYTES, digest.hexdigest())


def size(path: Path) -> int:
    """In bytes; -1: there is no such file."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def _open(side: Path) -> BinaryIO:
    try:
        return side.open("rb")
    except FileNotFoundError:
        return io.BytesIO()


def _pieces(left: BinaryIO, right: BinaryIO, frames: int) -> Iterator[bytes]:
    yield header(frames)
    for start in range(0, frames, _CHUNK_FRAMES):
        count = min(_CHUNK_FRAMES, frames - start)
        both = array.array("h", bytes(count * FRAME_BYTES))
        both[0::2] = _samples(left, count)
        both[1::2] = _samples(right, count)
        yield both.tobytes()


def _samples(side: BinaryIO, count: int) -> "array.array[int]":
    """The next ones, with silence after the end. Their byte order does not matter here: they are only moved."""
    data = side.read(count * SAMPLE_BYTES)
    whole = len(data) // SAMPLE_BYTES * SAMPLE_BYTES
    return array.array("h", data[:whole].ljust(count * SAMPLE_BYTES, b"\0"))


def header(frames: int) -> bytes:
    data_bytes = frames * FRAME_BYTES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", data_bytes + HEADER_BYTES - 8, b"WAVE", b"fmt ", 16, 1, CHANNELS, RATE,
        RATE * FRAME_BYTES, FRAME_BYTES, 16, b"data", data_bytes,
    )  # fmt: skip


def inspect(target: Path) -> Wav | None:
    """A WAV that was finished before; None when there is none."""
    try:
        with target.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            total = file.tell()
    except FileNotFoundError:
        return None
    return Wav(max(0, total - HEADER_BYTES) // FRAME_BYTES, total, digest.hexdigest())


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
