"""python run.py PROGRAM SEED: `make bench-jitter`. What R and ns are, and how it sounds (PESQ, narrow band); JSON last.

Runs in the virtual environment of image/locks/bench-python.lock. Speech is espeak-ng's: four voices, A-law.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pesq import NoUtterancesError, pesq

RATE_HZ = 8000
MINUTES = 3
PIECE = 8 * RATE_HZ
"""Samples that are judged at once."""
LATEST = 6000
"""Samples by which a piece may be heard later."""
SKIPPED = 2
"""Pieces at the beginning, where a delay is not found yet."""
VOICES = ("en-us+m3", "en-us+f2", "en-gb+m7", "en-us+f4")
TEXT = """The early bird may get the worm, but the second mouse gets the cheese. A large size in stockings is hard
to sell. Please hold the line, an agent will be with you shortly. She had your dark suit in greasy wash water all year.
We were away a year ago. Oak is strong and also gives shade. Press one for sales and two for service. The boy was there
when the sun rose, a rod is used to catch pink salmon."""
LINEAR = ("-t", "raw", "-e", "signed", "-b", "16", "-r", str(RATE_HZ), "-c", "1")
ALAW = ("-t", "raw", "-e", "a-law", "-b", "8", "-r", str(RATE_HZ), "-c", "1")


def _run(*command: str | Path, given: bytes = b"", speech: Path | None = None) -> bytes:
    environment = dict(os.environ, SPEECH=str(speech)) if speech else None
    return subprocess.run(
        command, input=given, stdout=subprocess.PIPE, check=True, timeout=1800, env=environment
    ).stdout


def make_speech() -> bytes:
    """A-law of all voices."""
    said = (_run("espeak-ng", "-v", voice, "-s", "155", "--stdout", TEXT + TEXT) for voice in VOICES)
    return b"".join(_run("sox", "-D", "-", *ALAW, "-", "gain", "-n", "-6", given=wave) for wave in said)


def _samples(raw: bytes) -> NDArray[np.float32]:
    return np.frombuffer(raw, np.int16).astype(np.float32)


def _aligned(sent: NDArray[np.float32], heard: NDArray[np.float32]) -> NDArray[np.float32]:
    """The piece of `heard` that is most like `sent`."""
    size = 1 << (len(heard) + len(sent)).bit_length()
    both = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size)), size)
    later = int(np.argmax(both[: len(heard) - len(sent) + 1]))
    return heard[later : later + len(sent)]


def score(sent: NDArray[np.float32], heard: NDArray[np.float32]) -> float:
    """PESQ-NB, the mean of the pieces."""
    scores = []
    for start in range(SKIPPED * PIECE, len(heard) - PIECE - LATEST, PIECE):
        piece = sent[start : start + PIECE]
        try:
            scores.append(float(pesq(RATE_HZ, piece, _aligned(piece, heard[start : start + PIECE + LATEST]), "nb")))
        except NoUtterancesError:
            continue
    return float(np.mean(scores))


def listen(
    program: str, seed: str, folder: Path, speech: Path, figures: dict[str, dict[str, dict[str, float]]]
) -> None:
    """Adds PESQ of ours and NetEq, family by family."""
    coded = speech.read_bytes()
    needed = MINUTES * 60 * RATE_HZ
    coded = coded[: len(coded) // 160 * 160]  # as the program repeats it: whole packets
    sent = _samples(_run("sox", *ALAW, "-", *LINEAR, "-", given=(coded * (needed // len(coded) + 1))[:needed]))
    pesqs: dict[str, dict[str, float]] = {}
    for player in (name for name in ("ours", "neteq") if name in figures["R"]):
        pesqs[player] = {}
        for family in figures["R"][player]:
            out = folder / "heard.raw"
            _run(program, "play", player, family, seed, out, str(MINUTES), speech=speech)
            pesqs[player][family] = round(score(sent, _samples(out.read_bytes())), 3)
        row = "".join(f"{value:10.3f}" for value in pesqs[player].values())
        print(f"PESQ {player:8}{row} |{np.mean(list(pesqs[player].values())):10.3f}", flush=True)
    figures["pesq"] = pesqs


def main(program: str, seed: str) -> None:
    told = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = [line for line in told if line.startswith("model name")]
    machine = cpu[0].split(": ", 1)[1] if cpu else platform.machine()
    print(f"{machine}, {platform.platform()}, pesq 0.0.4, libtgowt 20230105, speexdsp 1.2.1")
    with tempfile.TemporaryDirectory() as name:
        speech = Path(name) / "speech.alaw"
        speech.write_bytes(make_speech())
        *table, last = _run(program, "figures", seed, speech=speech).decode().splitlines()
        print("\n".join(table), flush=True)
        figures = json.loads(last)
        listen(program, seed, Path(name), speech, figures)
    print(json.dumps(figures))


main(sys.argv[1], sys.argv[2])
