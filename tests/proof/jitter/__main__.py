"""`make proof-jitter`: SEED=, OUT=, LOG=, BREAK=: one call's arrivals through our jitter buffer and Asterisk's.

A call comes to a real box over a cable that loses 3 % of the packets, spreads them by 40 ms and stalls for 200 ms. How
they came is written down (`captured.log`; LOG=… takes another one). Then the log is played as RTP, the same packets at
the same moments, into two calls of the box: one has SA_JITTER, one Asterisk's own JITTERBUFFER(adaptive), with
concealment switched on for it. What comes out of each goes to a line, and from its sound alone R and PESQ are told.
Evidence stays in OUT. BREAK=off: ours is not switched on; BREAK=reordered: it is given neighbours' sounds in exchange.
Exit code 1: a figure misses its target; 2: the machine was too busy, and the figures do not count.
"""

import asyncio
import json
import os
import random
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np

from tests.lab.lab import Box, Lab
from tests.proof.capture import capture
from tests.proof.jitter.arrivals import Arrivals
from tests.proof.jitter.box_calls import ADAPTIVE, OURS, calls_through
from tests.proof.jitter.places import pieces
from tests.proof.jitter.record import record
from tests.proof.jitter.replay import Leg, Played, replay
from tests.proof.jitter.speech import Samples, decoded, hearing, on_a_line, say
from tests.proof.jitter.urgent import put_first
from tests.proof.jitter.verdict import LATE_MS, failures, too_busy
from tests.proof.jitter.worth import worth

RECORD_S = 120.0
BREAKS = ("", "off", "reordered")
Figures = dict[str, Any]


def tell(text: str) -> None:
    print(f"proof-jitter: {text}", file=sys.stderr, flush=True)


def write_wav(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())


def judge(leg: Leg, arrivals: Arrivals, played: Played, sent: Samples, out: Path) -> Figures:
    """From the sound of one call."""
    heard, begun_s = on_a_line(leg.heard)
    write_wav(out / f"{leg.name}.wav", heard)
    heard.tofile(out / f"{leg.name}.raw")
    spoken_s = played.begun_s + np.array(arrivals.sent_ms) / 1000
    sounds_s = begun_s + np.arange(len(heard)) / 8000
    told = worth(pieces(heard, sent), spoken_s, sounds_s, np.array([came is None for came in arrivals.arrived_ms]))
    first = round((begun_s - played.begun_s) * 8000)
    np.concatenate([np.zeros(max(first, 0), np.int16), heard]).tofile(out / f"{leg.name}.raw")
    pesq = float(hearing("score", out / "sent.raw", out / f"{leg.name}.raw"))
    return {
        "R": round(told.r, 3), "pesq": round(pesq, 3), "delay_ms": round(told.delay_ms, 1),
        "bad_pct": round(told.bad_pct, 3), "splices": told.splices, "packets": len(leg.heard),
    }  # fmt: skip


async def play(
    box: Box, arrivals: Arrivals, speech: bytes, broken: str, out: Path
) -> tuple[list[Leg], Played, Figures]:
    assert box.record is not None
    bridge = f"sa8-{box.record.number}"
    host = box.address.rpartition(".")[0] + ".1"
    legs = [Leg.of(name, host) for name in (OURS, ADAPTIVE)]
    asterisk = await asyncio.to_thread(box.pid, "asterisk")
    assert asterisk is not None
    put_first(asterisk)
    try:
        async with (
            calls_through(box, legs, is_off=broken == "off") as calls,
            capture(f"{bridge}-10", out / "replay.pcap"),
        ):
            tell(f"{len(arrivals.sent_ms) / 50:.0f} s of it are played through both …")
            reordered = OURS if broken == "reordered" else ""
            played = await asyncio.to_thread(replay, arrivals, speech, legs, calls.ports, reordered)
        return legs, played, await asyncio.to_thread(calls.stats)
    finally:
        for leg in legs:
            leg.close()


async def prove(seed: int, broken: str, log: str, out: Path) -> tuple[Figures, list[str]]:
    figures: Figures = {"seed": seed}
    with Lab(say=tell) as lab:
        counts: Figures = {}
        if log:
            arrivals = Arrivals.read(Path(log))
        else:
            tell(f"a call of {RECORD_S:.0f} s over a faulty cable …")
            arrivals = await record(lab, seed, RECORD_S, out, counts)
        arrivals.write(out / "captured.log")
        speech = await asyncio.to_thread(say, seed, len(arrivals.sent_ms))
        legs, played, stats = await play(lab.box(), arrivals, speech, broken, out)
        (out / "asterisk.log").write_text(lab.box().log("asterisk"))
    sent = decoded(speech)
    sent.tofile(out / "sent.raw")
    write_wav(out / "sent.wav", sent)
    figures |= {
        "cable": counts,
        "lost_pct": round(arrivals.lost_pct, 2),
        "packets": len(arrivals.sent_ms),
        "stats": stats,
    }
    late_ms = np.array(played.late_ms)
    late_pct = 100 * float(np.mean(late_ms > LATE_MS))
    figures["sent_late_ms"] = {
        "mean": round(float(late_ms.mean()), 2), "most": round(float(late_ms.max()), 2), "late_pct": round(late_pct, 3),
    }  # fmt: skip
    for leg in legs:
        figures[leg.name] = judge(leg, arrivals, played, sent, out)
        tell(f"{leg.name}: {figures[leg.name]}")
    return figures, failures(figures, has_log=bool(log))


def main() -> int:
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    broken = os.environ.get("BREAK", "")
    if broken not in BREAKS:
        raise SystemExit(f"BREAK={broken} is not known: {', '.join(BREAKS[1:])}")
    out = Path(os.environ.get("OUT") or f"out/proof-jitter-{seed}").resolve()
    out.mkdir(parents=True, exist_ok=True)
    tell(f"seed {seed}, evidence in {out}")
    figures, wrong = asyncio.run(prove(seed, broken, os.environ.get("LOG", ""), out))
    busy = too_busy(figures)
    for what in wrong:
        tell(f"FAILED: {what}")
    for what in busy:
        tell(f"does not count, this machine is too busy: {what}")
    figures |= {"failed": wrong, "counts": not busy}
    (out / "figures.json").write_text(json.dumps(figures))
    print(json.dumps(figures))
    return 2 if busy else 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
