"""Legs with the jitter buffer that are held, handed over and put elsewhere: what is heard afterwards, and which buffers
are left. The module counts who uses it, so that none can stay behind unseen."""

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.box.api import until_async
from tests.box.house import House, house
from tests.box.test_jitter_buffer import getvar
from tests.callers.audio import read_wav, tone_share

pytestmark = pytest.mark.lab

MODULE = "func_sa_jitter"
DIALPLAN = """
[internal](+)
exten => _88XXXX,1,Gosub(sa-jitter,s,1)
 same => n,Dial(PJSIP/${EXTEN:2},30,U(sa-jitter))
exten => 8800,1,Answer()
 same => n,Gosub(sa-jitter,s,1)
 same => n,Echo()
exten => 8801,1,Answer()
 same => n,Echo()
exten => 8802,1,Answer()
 same => n,Set(SA_JITTER()=on)
 same => n,Set(SA_JITTER()=off)
 same => n,Set(SA_JITTER()=on)
 same => n,PickupChan(PJSIP/1002,p)
"""
"""88 and an extension: both legs get the buffer, as if the other one were a line. 8800 echoes with it, 8801 without.
8802 picks up what rings at 1002: by then the number of its buffer's hook is not the one that it will have there."""
BOTH = ["PJSIP/1001", "PJSIP/1003"]
TONES = {"1001": 600, "1002": 700, "1003": 800}
USES = 2
"""Of the module, by each buffer: its own, and that of what holds it at the channel."""
A_SECOND = 50
"""Packets."""


@pytest.fixture
async def made(root: Path, tmp_path: Path) -> AsyncIterator[House]:
    async with house(root, tmp_path, dialplan=DIALPLAN) as made:
        await made.box.cli("module load app_echo.so")
        for ext in TONES:
            await made.phone(ext, answer="auto", record_dir=str(tmp_path))
        yield made


async def users(made: House) -> float:
    """How many buffers there are; no whole number: one that is half gone."""
    said = await made.box.cli(f"module show like {MODULE}")
    (count,) = re.findall(rf"^{MODULE}\.so.*?\s(\d+)\s+Running", said, re.MULTILINE)
    return int(count) / USES


async def users_become(made: House, count: int) -> None:
    await until_async(lambda: users(made), lambda now: now == count, what=f"{count} buffers")


async def legs(made: House) -> list[str]:
    """Names of the phones' channels that are there, by extension and age."""
    said = await made.box.cli("core show channels concise")
    return sorted(re.findall(r"^(PJSIP/[^!]+)!", said, re.MULTILINE))


async def kept(made: House, channel: str) -> int:
    """Packets that its buffer took; -1: it has none."""
    found = re.match(r"kept=(\d+),", await getvar(made, channel, "SA_JITTER(stats)"))
    return int(found[1]) if found else -1


async def flows(made: House, *channels: str) -> None:
    """A second and more goes through each one's buffer from now on."""
    for channel in channels:
        # A called leg gets its buffer a moment after it answered.
        before = await until_async(
            partial(kept, made, channel), lambda count: count >= 0, 30, f"{channel} has no buffer"
        )
        least = before + A_SECOND
        await until_async(partial(kept, made, channel), partial(int.__lt__, least))


async def call(made: House, ext: str, to: str, legs_then: int) -> list[str]:
    """Names of all channels, once so many are there."""
    await made.seats_phones.send("call", ext=ext, to=to)
    names: list[str] = await until_async(lambda: legs(made), lambda names: len(names) == legs_then)
    return names


async def turn(made: House, channel: str, value: str) -> None:
    """The buffer on or off."""
    await made.link.ami.action("Setvar", [("Channel", channel), ("Variable", "SA_JITTER()"), ("Value", value)])


async def heard_at_the_end(made: House, ext: str, of: str) -> None:
    """Everybody hangs up; the last second of what a phone heard was that tone."""
    mark = made.seats_phones.mark()
    await made.seats_phones.send("hangup", ext=ext)
    ended = await made.seats_phones.wait("ended", ext=ext, since=mark)
    heard = read_wav(Path(ended["wav"]))
    share = tone_share(heard.channels[0][-heard.rate :], heard.rate, TONES[of])
    assert share > 0.7, (ext, of, share)


async def nothing_is_left(made: House) -> None:
    await until_async(lambda: legs(made), lambda names: names == [])
    await users_become(made, 0)
    assert "Unloaded" in await made.box.cli(f"module unload {MODULE}.so")
    assert not any("ERROR" in line for line in made.box.complaints()), made.box.complaints()


async def test_hold_and_back(made: House) -> None:
    """By re-INVITE (sendonly, sendrecv), at each end in turn."""
    names = await call(made, "1001", "881002", 2)
    await flows(made, *names)
    for holder in ("1001", "1002"):
        await made.seats_phones.send("hold", ext=holder, on=True)
        await made.until(lambda: made.holds[-1:] != [] and made.holds[-1][1])
        await made.seats_phones.send("hold", ext=holder, on=False)
        await made.until(lambda: not made.holds[-1][1])
        await flows(made, *names)
    assert await users(made) == 2
    assert "Unable to unload" in await made.box.cli(f"module unload {MODULE}.so")
    await heard_at_the_end(made, "1001", of="1002")
    await nothing_is_left(made)


async def test_a_blind_transfer(made: House) -> None:
    """By REFER: the other leg goes on through the dialplan, and takes its buffer along."""
    stays, _ = await call(made, "1001", "881002", 2)
    await flows(made, stays)
    await made.seats_phones.send("transfer", ext="1002", to="1003")
    third = await until_async(lambda: legs(made), lambda names: len(names) == 2 and "PJSIP/1003" in names[1])
    await flows(made, stays)
    assert (await kept(made, third[1]), await users(made)) == (-1, 1)
    await heard_at_the_end(made, "1003", of="1001")
    await nothing_is_left(made)


async def test_an_attended_transfer(made: House) -> None:
    """By REFER with Replaces: of four legs two are left, with their buffers."""
    await flows(made, *await call(made, "1001", "881002", 2))
    await flows(made, *await call(made, "1002", "881003", 4))
    assert await users(made) == 4
    await made.seats_phones.send("attend", ext="1002")
    left = await until_async(lambda: legs(made), lambda names: len(names) == 2)
    assert [name[:10] for name in left] == BOTH
    await flows(made, *left)
    await users_become(made, 2)
    await heard_at_the_end(made, "1003", of="1001")
    await nothing_is_left(made)


async def test_another_channel_takes_the_place_of_one_with_a_buffer(made: House) -> None:
    """An attended transfer to somebody who talks with an application: a masquerade. The buffer ends with its sound."""
    first, _ = await call(made, "1001", "881002", 2)
    await flows(made, *await call(made, "1002", "8800", 3))
    assert await users(made) == 3
    await made.seats_phones.send("attend", ext="1002")
    await until_async(lambda: legs(made), lambda names: names == [first])
    await users_become(made, 1)
    await flows(made, first)
    await heard_at_the_end(made, "1001", of="1001")
    await nothing_is_left(made)


async def test_a_called_leg_that_is_put_elsewhere(made: House) -> None:
    """By AMI's Redirect, with its buffer. There that can be turned off, and the module goes while the call goes on."""
    _, called = await call(made, "1001", "881002", 2)
    await flows(made, called)
    where = [("Context", "internal"), ("Exten", "8801"), ("Priority", "1")]
    await made.link.ami.action("Redirect", [("Channel", called), *where])
    (moved,) = await until_async(lambda: legs(made), lambda names: len(names) == 1)
    await flows(made, moved)
    await users_become(made, 1)
    await turn(made, moved, "off")
    assert await kept(made, moved) == -1
    await users_become(made, 0)  # with the next frame
    assert "Unloaded" in await made.box.cli(f"module unload {MODULE}.so")
    assert "Loaded" in await made.box.cli(f"module load {MODULE}.so")
    await turn(made, moved, "on")
    await flows(made, moved)
    await heard_at_the_end(made, "1002", of="1002")
    await nothing_is_left(made)


async def test_a_leg_that_takes_the_place_of_another_channel(made: House) -> None:
    """Who picks up a call that rings elsewhere: a masquerade that takes the buffer along."""
    await made.box.cli("module load app_directed_pickup.so")
    await made.seats_phones.send("set", ext="1002", answer="ring")
    await call(made, "1001", "881002", 2)
    await made.seats_phones.wait("ringing", ext="1002")
    await made.seats_phones.send("call", ext="1003", to="8802")
    left = await until_async(lambda: legs(made), lambda names: [name[:10] for name in names] == BOTH)
    await flows(made, *left)
    await users_become(made, 2)
    await turn(made, left[1], "off")
    assert await kept(made, left[1]) == -1
    await users_become(made, 1)
    await heard_at_the_end(made, "1003", of="1001")
    await nothing_is_left(made)
