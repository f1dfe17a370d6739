"""python hearing.py speech | score SENT HEARD: what is said in a bench, and how it sounds (PESQ, narrow band).

Runs in the virtual environment of image/locks/bench-python.lock. Speech is espeak-ng's: four voices, A-law, on the
standard output. SENT and HEARD are 16-bit samples; HEARD may be later by up to 0.75 s.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pesq import NoUtterancesError, pesq

RATE_HZ = 8000
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


def run(*command: str | Path, given: bytes = b"", speech: Path | None = None) -> bytes:
    environment = dict(os.environ, SPEECH=str(speech)) if speech else None
    return subprocess.run(
        command, input=given, stdout=subprocess.PIPE, check=True, timeout=1800, env=environment
    ).stdout


def make_speech() -> bytes:
    """A-law of all voices."""
    said = (run("espeak-ng", "-v", voice, "-s", "155", "--stdout", TEXT + TEXT) for voice in VOICES)
    return b"".join(run("sox", "-D", "-", *ALAW, "-", "gain", "-n", "-6", given=wave) for wave in said)


def samples(raw: bytes) -> NDArray[np.float32]:
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


def main(what: str, *files: str) -> None:
    if what == "speech":
        sys.stdout.buffer.write(make_speech())
    else:
        print(score(*(samples(Path(file).read_bytes()) for file in files)))


if __name__ == "__main__":
    main(*sys.argv[1:])
