"""The ears of appliance_agent.hangup, and its file. On real lines: board-tests/test_hangup.py."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance_agent.hangup.ear import Cause, Ear
from appliance_agent.hangup.supervisor import Supervisor
from appliance_agent.hangup.watched import LearnedTone, Watched, from_json
from appliance_agent.kernel.errors import Fault
from tests.unit.test_ami_client import peer
from tests.voicecore.signals import Signal, linear, silence
from tests.voicecore.test_progress import cadence

LEARNED = LearnedTone((425.0,), (500, 250))


def heard(sound: Signal, learned: LearnedTone | None = None) -> Cause | None:
    """What an ear says when all of it has come, in pieces of 100 ms."""
    raw, ear = linear(sound), Ear(learned)
    for start in range(0, len(raw) // 1600 * 1600, 1600):
        ear.feed(raw[start : start + 1600])
    return ear.sounding


@pytest.mark.parametrize(
    ("on_off", "hz", "cause"),
    [((350, 350), 450.0, Cause.NORMAL), ((700, 700), 450.0, Cause.CONGESTION), ((500, 250), 425.0, Cause.NORMAL)],
)
def test_a_busy_tone_is_heard_while_it_sounds(on_off: tuple[int, int], hz: float, cause: Cause) -> None:
    tone = cadence(on_off, 8, hz=(hz,))
    assert heard(tone, LEARNED) == cause
    assert heard(np.concatenate([tone, silence(5000)]), LEARNED) is None


@pytest.mark.parametrize("on_off", [(1000, 4000), (400, 4000), (250, 700)])
def test_other_cadences_end_nothing(on_off: tuple[int, int]) -> None:
    assert heard(cadence(on_off, 6), LEARNED) is None


def test_a_learned_tone_is_for_its_own_port_only() -> None:
    assert heard(cadence((500, 250), 8, hz=(425.0,))) is None


def test_the_file_is_parsed_once() -> None:
    text = '[{"line": "fxo-1", "channel": 17, "learned": null},'
    text += '{"line": "fxo-2", "channel": 18, "learned": {"hz": [425], "cadence_ms": [500, 250]}}]'
    assert from_json(text, "file") == (Watched("fxo-1", 17), Watched("fxo-2", 18, LEARNED))


@pytest.mark.parametrize(
    "text", ["", "{}x", '[{"line": "fxo-1"}]', '[{"line": "fxo-1", "channel": "x", "learned": null}]', "[3]"]
)
def test_a_damaged_file_is_told_with_its_name(text: str) -> None:
    with pytest.raises(Fault, match=r"hangup\.json"):
        from_json(text, "hangup.json")


class Port:
    """In place of hal.linux.listen: a port whose card can be pulled and put back."""

    def __init__(self) -> None:
        self.taken: asyncio.Queue[Callable[[bytes], None]] = asyncio.Queue()
        self.there = True

    @contextlib.contextmanager
    def listen(self, channel: int, take: Callable[[bytes], None]) -> Iterator[Callable[[], bool]]:
        assert channel == 17
        self.there = True
        self.taken.put_nowait(take)
        yield lambda: self.there


async def test_a_tone_ends_the_port_s_calls_and_a_card_may_go_and_come(tmp_path: Path) -> None:
    file, port = tmp_path / "hangup.json", Port()
    file.write_text(json.dumps([{"line": "fxo-1", "channel": 17, "learned": None}]))
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def answer(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        """No call is on the port: that is nobody's fault, and no reason to stop."""
        said = "Error" if action["Action"] == "Hangup" else "Success"
        writer.write(f"Response: {said}\r\nActionID: {action['ActionID']}\r\nMessage: No such channel\r\n\r\n".encode())
        if said == "Error":
            asked.put_nowait(action)

    async with peer(answer) as (ami, _), asyncio.timeout(30):
        running = asyncio.create_task(Supervisor(ami, file, port.listen, again_s=0.01).run())
        try:
            for on_off, cause in (((350, 350), "16"), ((700, 700), "34")):
                take = await port.taken.get()
                take(linear(cadence(on_off, 8)))
                action = await asked.get()
                assert (action["Channel"], action["Cause"]) == ("/^DAHDI/17-[0-9]+$/", cause)
                assert (await asked.get())["Cause"] == cause, "it is asked again while the tone goes on"
                port.there = False
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
