"""python run.py PROGRAM SEED: `make bench-jitter`. What R and ns are, and how it sounds (PESQ, narrow band); JSON last.

Runs in the virtual environment of image/locks/bench-python.lock.
"""

import json
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np
from hearing import ALAW, LINEAR, RATE_HZ, make_speech, run, samples, score

MINUTES = 3
CAPTURED = Path(__file__).with_name("captured.log")
"""Arrivals of a real call in the lab over a bad network, as `make proof-jitter` recorded them."""


def listen(
    program: str, seed: str, folder: Path, speech: Path, figures: dict[str, dict[str, dict[str, float]]]
) -> None:
    """Adds PESQ of ours and NetEq, family by family."""
    coded = speech.read_bytes()
    needed = MINUTES * 60 * RATE_HZ
    coded = coded[: len(coded) // 160 * 160]  # as the program repeats it: whole packets
    sent = samples(run("sox", *ALAW, "-", *LINEAR, "-", given=(coded * (needed // len(coded) + 1))[:needed]))
    pesqs: dict[str, dict[str, float]] = {}
    for player in (name for name in ("ours", "neteq") if name in figures["R"]):
        pesqs[player] = {}
        for family in figures["R"][player]:
            out = folder / "heard.raw"
            run(program, "play", player, family, seed, out, str(MINUTES), speech=speech)
            pesqs[player][family] = round(score(sent, samples(out.read_bytes())), 3)
        row = "".join(f"{value:10.3f}" for value in pesqs[player].values())
        print(f"PESQ {player:8}{row} |{np.mean(list(pesqs[player].values())):10.3f}", flush=True)
    figures["pesq"] = pesqs


def add_captured(program: str, figures: dict[str, object]) -> None:
    """R, delay and own losses of each player on the recorded call."""
    told = json.loads(run(program, "file", CAPTURED))
    figures["captured"] = told
    print("captured     " + ", ".join(f"{player} R {one['R']:.2f}" for player, one in told.items()), flush=True)


def main(program: str, seed: str) -> None:
    told = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = [line for line in told if line.startswith("model name")]
    machine = cpu[0].split(": ", 1)[1] if cpu else platform.machine()
    print(f"{machine}, {platform.platform()}, pesq 0.0.4, libtgowt 20230105, speexdsp 1.2.1")
    with tempfile.TemporaryDirectory() as name:
        speech = Path(name) / "speech.alaw"
        speech.write_bytes(make_speech())
        *table, last = run(program, "figures", seed, speech=speech).decode().splitlines()
        print("\n".join(table), flush=True)
        figures = json.loads(last)
        add_captured(program, figures)
        listen(program, seed, Path(name), speech, figures)
    print(json.dumps(figures))


main(sys.argv[1], sys.argv[2])
