"""The ears of appliance_agent.hangup, and its file. On real lines: board-tests/test_hangup.py."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance_agent.hangup.ear import Cause, Ears
from appliance_agent.hangup.supervisor import Supervisor
from appliance_agent.hangup.watched import LearnedTone, Watched, from_json
from appliance_agent.kernel.errors import Fault
from hal.linux.listen import Place, Take
from tests.unit.test_ami_client import peer
from tests.voicecore.signals import Signal, linear, noise, silence, sine
from tests.voicecore.talks import music, talk
from tests.voicecore.test_progress import cadence

BLOCK = 1600
"""Bytes that hal hands over at a time: 100 ms."""
LEARNED = LearnedTone((425.0,), (500, 250))


def told(ears: Ears, **sounds: Signal) -> list[Cause | None]:
    """What the ears say in each 100 ms of what is heard, said, and on the line; silence where nothing is given."""
    length = max(map(len, sounds.values()))
    raw = {place: linear(np.pad(sound, (0, length - len(sound)))) for place, sound in by_place(sounds).items()}
    says: list[Cause | None] = []
    for start in range(0, length * 2 // BLOCK * BLOCK, BLOCK):
        says.append(None)
        for place in (Place.LINE, Place.HEARD, Place.SAID):  # the worst order: an echo comes before its cause
            ears.feed(place, raw[place][start : start + BLOCK])
            says[-1] = says[-1] or ears.sounding
    return says


def by_place(sounds: dict[str, Signal]) -> dict[Place, Signal]:
    return {place: sounds.get(place.name.lower(), silence(0)) for place in Place}


def heard(sound: Signal, learned: LearnedTone | None = None) -> Cause | None:
    """What the ears say when all of it has been heard."""
    return told(Ears(learned), heard=sound)[-1]


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


def echo(sound: Signal, loss_db: float) -> Signal:
    """Some milliseconds later."""
    return np.concatenate([silence(7), sound * 10 ** (-loss_db / 20)])


def plus(one: Signal, other: Signal) -> Signal:
    length = max(len(one), len(other))
    return np.asarray(np.pad(one, (0, length - len(one))) + np.pad(other, (0, length - len(other))))


def of_ours() -> dict[str, Signal]:
    """15 s each of what the box says into a line."""
    return {
        "silence": silence(15_000),
        "a steady tone": sine(523, -15, 15_000),
        "dial tone": sine(450, -15, 15_000),
        "ring-back": cadence((1000, 4000), 3),
        "music": music(np.random.default_rng(1), 15.0),
        "a menu": talk(2, 15.0)[: 8 * 15_000],
    }


@pytest.mark.parametrize("name", of_ours())
def test_a_busy_tone_before_a_deaf_canceller_is_heard_while_we_speak(name: str) -> None:
    """The line returns what we say by 24 dB quieter: our dial tone needs it, the others need less (docs/adr/0016)."""
    said, busy = of_ours()[name], cadence((350, 350), 8)
    line = plus(echo(said, 24), np.concatenate([silence(9_000), busy]))
    says = told(Ears(None), said=said, line=line)
    assert not any(says[:90]), "nothing before the tone"
    assert any(one is Cause.NORMAL for one in says[90 : 90 + 32]), "3 s, and the line is heard 0.2 s late"


@pytest.mark.parametrize("loss_db", [4.0, 10.0, 20.0])
@pytest.mark.parametrize("on_off", [(350, 350), (700, 700)])
def test_the_echo_of_our_own_busy_tone_ends_nothing(loss_db: float, on_off: tuple[int, int]) -> None:
    """An answered caller hears one from the dial plan, or from where he was put through to. The kernel hands over the
    line's blocks up to 100 ms before those in which we say what comes back on it."""
    ears, said = Ears(None), np.concatenate([silence(530), cadence(on_off, 8), silence(3000)])
    assert not any(told(ears, said=said, line=echo(said, loss_db)[8 * 90 :]))
    assert any(told(ears, line=cadence(on_off, 8))), "the exchange's own does"


def test_the_exchange_s_busy_tone_under_one_of_ours_is_no_echo_when_it_is_as_loud() -> None:
    """Two outside lines put through to each other, whose callers hang up at once."""
    busy = cadence((350, 350), 8)
    assert any(told(Ears(None), said=busy, line=busy))


@pytest.mark.parametrize("left_ms", [100, 350, 500, 690])
def test_what_the_kernel_repeats_when_the_canceller_goes_ends_nothing(left_ms: int) -> None:
    """After a call: the line's last eight samples, over and over."""
    busy = cadence((350, 350), 8)[: 8 * (700 * 7 + left_ms)]
    says = told(Ears(None), line=np.concatenate([busy, np.tile(busy[-8:], 5000)]))
    assert any(says)
    assert not any(says[len(busy) // 800 + 10 :])


@pytest.mark.parametrize("seed", range(4))
def test_talk_and_our_own_voice_on_the_line_end_nothing(seed: int) -> None:
    far = plus(talk(seed, 15.0), noise(np.random.default_rng(seed), -45, 15_000))
    for said in of_ours().values():
        assert not any(told(Ears(LEARNED), said=said, line=plus(far, echo(said, 12))))
        assert not any(told(Ears(LEARNED), said=said, line=echo(said, 6)))


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
        self.taken: asyncio.Queue[Take] = asyncio.Queue()
        self.there = True

    @contextlib.contextmanager
    def listen(self, channel: int, take: Take) -> Iterator[Callable[[], bool]]:
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
                take(Place.HEARD, linear(cadence(on_off, 8)))
                action = await asked.get()
                assert (action["Channel"], action["Cause"]) == ("/^DAHDI/17-[0-9]+$/", cause)
                assert (await asked.get())["Cause"] == cause, "it is asked again while the tone goes on"
                port.there = False
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
