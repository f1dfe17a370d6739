"""Bus, clock, services, identity, secrets, durable files, helper programs."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance_agent.kernel import service
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.clock import parse_rfc3339, rfc3339
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.files import write_atomically
from appliance_agent.kernel.identity import Edition, parse_identity
from appliance_agent.kernel.process import run_program
from appliance_agent.kernel.secrets import make_secrets, read_secrets

HERE = Path("box.toml")


@dataclass(frozen=True)
class Ping:
    number: int


async def test_the_bus_delivers_wanted_types_in_order() -> None:
    bus = Bus()
    with bus.subscribe(Ping) as pings, bus.subscribe(Ping, str) as both:
        bus.publish(Ping(1))
        bus.publish("text")
        bus.publish(Ping(2))
        assert [await pings.get(), await pings.get()] == [Ping(1), Ping(2)]
        assert [await both.get() for _ in range(3)] == [Ping(1), "text", Ping(2)]


async def test_a_slow_subscriber_is_told_once_and_goes_on() -> None:
    bus = Bus()
    with bus.subscribe(Ping, limit=2) as slow, bus.subscribe(Ping) as other:
        for number in range(5):
            bus.publish(Ping(number))
        assert [await slow.get() for _ in range(3)] == [Ping(0), Ping(1), Gap()]
        bus.publish(Ping(9))
        assert await slow.get() == Ping(9)
        assert [await other.get() for _ in range(6)] == [Ping(n) for n in (0, 1, 2, 3, 4, 9)]


async def test_nobody_is_told_after_leaving() -> None:
    bus = Bus()
    with bus.subscribe(Ping) as gone:
        pass
    bus.publish(Ping(1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await gone.get()


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_334_400_123_456, "2026-11-22T08:00:00.123Z"),
        (1_795_334_400_999_999, "2026-11-22T08:00:00.999Z"),
    ],
)
def test_times_go_to_text_and_back_to_the_millisecond(time_us: int, text: str) -> None:
    assert rfc3339(time_us) == text
    assert parse_rfc3339(text) == time_us // 1000 * 1000


def test_offsets_are_understood_and_wanted() -> None:
    assert parse_rfc3339("2026-11-22T16:00:00+08:00") == parse_rfc3339("2026-11-22T08:00:00Z")
    for text in ("2026-11-22T08:00:00", "yesterday", ""):
        with pytest.raises(ValueError, match=r"offset|format"):
            parse_rfc3339(text)


class Failing:
    name = "failing"

    def __init__(self, ends: Callable[[int], None]) -> None:
        self.starts, self._ends = 0, ends
        self.third = asyncio.Event()

    async def run(self) -> None:
        self.starts += 1
        if self.starts == 3:
            self.third.set()
            await asyncio.Event().wait()
        self._ends(self.starts)


def fails(number: int) -> None:
    if number == 1:
        raise RuntimeError("a crash")


async def test_a_service_that_fails_or_ends_is_started_again_and_can_be_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "RESTART_DELAYS_S", (0.0, 0.0))
    failing = Failing(fails)
    task = asyncio.create_task(service.keep_running(failing))
    async with asyncio.timeout(10):
        await failing.third.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert failing.starts == 3


GOOD = 'box_id = "sa800-1"\nedition = "sa800"\n'


def test_an_identity_and_its_defaults() -> None:
    identity = parse_identity(GOOD, HERE)
    assert (identity.box_id, identity.edition, identity.sample) == ("sa800-1", Edition.SA800, False)
    full = parse_identity(GOOD + 'listen = "192.0.2.9:8443"\nsample = true\nexchange = "192.0.2.1"\n', HERE)
    assert (full.listen_host, full.listen_port, full.exchange) == ("192.0.2.9", 8443, "192.0.2.1")
    assert (full.announce, parse_identity(GOOD + 'announce = "192.0.2.9"\n', HERE).announce) == ("", "192.0.2.9")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "colour = 1\n", "unknown key 'colour'"),
        ('edition = "sa800"\n', "box_id is missing"),
        ('box_id = "a b"\nedition = "sa800"\n', "not a name"),
        ('box_id = "a"\nedition = "sa900"\n', "edition = 'sa900'"),
        ('box_id = 7\nedition = "sa800"\n', "not a text"),
        (GOOD + 'listen = "127.0.0.1"\n', "no port"),
        (GOOD + 'listen = "127.0.0.1:99999"\n', "no port"),
        (GOOD + 'listen = "localhost:80"\n', "not an IPv4 address"),
        (GOOD + 'announce = "home"\n', "not an IPv4 address"),
        (GOOD + 'sample = "yes"\n', "not true or false"),
        (GOOD + "sample = true\n", "not an IPv4 address"),
        ("box_id = \n", "not TOML"),
    ],
)
def test_a_broken_identity_says_where_what_and_what_to_do(text: str, says: str) -> None:
    with pytest.raises(Fault, match=says) as caught:
        parse_identity(text, HERE)
    assert caught.value.message.startswith("box.toml: ")
    assert caught.value.hint


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = make_secrets(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert make_secrets(path) == read_secrets(path) == made
    assert made.ami != made.ari
    assert made.ami not in repr(made)
    path.write_text("{")
    with pytest.raises(Fault, match="cannot be read"):
        make_secrets(path)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"old", mode=0o600)
    with path.open("rb") as reader:
        write_atomically(path, b"new", mode=0o640)
        assert reader.read() == b"old", "who has it open keeps the old one"
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


async def test_a_program_gets_its_input_and_tells_its_errors(tmp_path: Path) -> None:
    done = await run_program(["sh", "-c", "cat >seen; echo oh >&2; exit 3"], folder=tmp_path, stdin=b"x", limit_s=10)
    assert (done.status, done.errors) == (3, "oh\n")
    assert (tmp_path / "seen").read_bytes() == b"x"


async def test_a_program_that_takes_too_long_is_dead_afterwards(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        await run_program(["sh", "-c", "echo $$ >pid; exec tail -f /dev/null"], folder=tmp_path, limit_s=0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        await run_program(["no-such-program"], folder=tmp_path, limit_s=10)
