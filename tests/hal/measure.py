"""python3 -m tests.hal.measure JSON: our line engine measures on channels of the real DAHDI, all at once, and what it
found is printed as JSON. board-tests/test_relay.py judges it.

JSON: a list of jobs, {"channel": n, "coding": "ALAW" | "BITS", "send": what, "hear": ["TONE", …], "seconds": s}, where
what is null, ["tone", Hz, dBm0], ["echo", dBm0] or ["bits"]; or {"channel": n, "loop": true}: what comes there goes
back in the kernel. A job knows only what it is to do: what is done to its line it has to find out.
"""

import contextlib
import dataclasses
import json
import select
import sys
from typing import Any

from voicecore.dahdi import Law
from voicecore.dahdi_channel import Channel
from voicecore.engine import Bits, Coding, EchoNoise, Engine, Hear, Job, Running, Sending
from voicecore.linetest import Sequence
from voicecore.tones import Tone

LIMIT_S = 600
"""Without news of any job: the lines are gone."""


def sending(told: list[Any] | None) -> Sending:
    match told:
        case None:
            return None
        case ["tone", hz, level_dbm0]:
            return Tone(((hz, level_dbm0),))
        case ["echo", level_dbm0]:
            return EchoNoise(level_dbm0)
        case ["bits"]:
            return Bits(Sequence.PRBS_15)
        case _:
            sys.exit(f"cannot send {told}")


def job_of(told: dict[str, Any]) -> Job:
    hear = Hear(0)
    for name in told["hear"]:
        hear |= Hear[name]
    return Job(Coding[told["coding"]], sending(told.get("send")), hear, told["seconds"])


def opened(told: dict[str, Any]) -> Channel:
    channel = Channel(told["channel"])
    if told.get("coding") != "BITS":
        channel.set_audio(True)
        channel.set_law(Law.ALAW)
    if told.get("loop"):
        channel.loop(True)
    return channel


def wait(engine: Engine, jobs: list[Running]) -> None:
    while not all(job.done for job in jobs):
        if not select.select([engine], [], [], LIMIT_S)[0]:
            sys.exit(f"no news for {LIMIT_S} s: are the spans up?")
        engine.quiet()


def main(told: str) -> None:
    with contextlib.ExitStack() as all_of:
        asked = json.loads(told)
        channels = [all_of.enter_context(opened(one)) for one in asked]
        engine = all_of.enter_context(Engine(len(asked)))
        jobs = {
            channel.number: engine.start(job_of(one), channel, dahdi=True)
            for one, channel in zip(asked, channels, strict=True)
            if not one.get("loop")
        }
        wait(engine, list(jobs.values()))
        print(json.dumps({number: dataclasses.asdict(job.finish()) for number, job in jobs.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
