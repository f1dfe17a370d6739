"""`sa800-lab call`: one call from the public network into a running lab, told step by step."""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from contracts.journal import UserEvent
from hal.sim.door import ask
from tests.lab import records
from tests.lab.box import LabError, Machine, Plan
from tests.lab.exchange import Call, Exchange
from tests.lab.waiting import TooLate, until

NOWHERE = Path("/nonexistent")


def _choose(number: int | None) -> records.Record:
    labs = [record for record in records.running() if number in {None, record.number} and "outer_pids" in record.facts]
    if not labs:
        raise LabError("no lab is running; `make run` starts one")
    if len(labs) > 1:
        raise LabError(f"several labs run: say --lab {' or '.join(str(record.number) for record in labs)}")
    return labs[0]


def _machine(record: records.Record, name: str, address: str, share: Path | None) -> Plan:
    return Plan(name, "", address, NOWHERE, NOWHERE, (), share=share)


@contextmanager
def joined(number: int | None = None) -> Iterator[tuple[records.Record, Exchange]]:
    """The exchange of a lab that another process runs. Raises LabError."""
    record = _choose(number)
    facts = record.facts["exchange"]
    exchange = Exchange(_machine(record, "exchange", facts["address"], Path(facts["share"])), record)
    exchange.connect(facts["secret"])
    try:
        yield record, exchange
    finally:
        exchange.ami.close()


def happens(number: int | None, box: str, step: str) -> None:
    """A step for a box's simulated cards, of a lab that another process runs. Raises LabError and hal's errors."""
    record = _choose(number)
    facts = record.facts["boxes"].get(box)
    if facts is None:
        raise LabError(f"no box {box}: there are {', '.join(record.facts['boxes'])}")
    machine = Machine(_machine(record, box, facts["address"], None), record)
    asyncio.run(ask(machine.path("/run/sa800/cards.sock"), step))


class SeatWatch:
    """Reads the box's journal from now on, to tell when a person has answered our call."""

    def __init__(self, journal: Path, caller: str) -> None:
        self._journal, self._caller = journal, caller
        self._at = journal.stat().st_size if journal.exists() else 0
        self._linked: set[str] = set()
        self._rest = b""

    def answered_by(self) -> str | None:
        """The extension that is connected with the caller; None: nobody yet."""
        with suppress(FileNotFoundError), self._journal.open("rb") as file:
            file.seek(self._at)
            data = file.read()
            self._at += len(data)
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                row = json.loads(line)
                if row.get("num") == self._caller and row["uniqueid"] == row["linkedid"]:
                    self._linked.add(row["linkedid"])
                if row["eventtype"] == UserEvent.SEAT and row["linkedid"] in self._linked:
                    said = json.loads(row["eventextra"])["extra"]
                    return str(dict(pair.split("=", 1) for pair in said.split("&"))["ext"])
        return None


def _follow(one: Call, arguments: argparse.Namespace, watch: SeatWatch) -> None:
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} s] {text}", flush=True)

    say(f"{arguments.from_} calls {arguments.to}")
    if not one.wait("answered", 65):
        return
    say("the box answered")
    if arguments.digits:
        if not one.wait("keying", 75):
            say("the box hung up before the digits")
            return
        say(f"menu heard; keying {arguments.digits}")
    try:
        seat = until("somebody answers", lambda: watch.answered_by() or one.over, limit_s=arguments.patience)
    except TooLate:
        say(f"nobody answered in {arguments.patience:g} s: hanging up")
        return
    if one.over:
        say("the box hung up: nobody answered (is a seat logged in?)")
    else:
        say(f"{seat} answered; talking {arguments.talk:g} s")
        say("the other side hung up" if one.wait("ended", arguments.talk) else "hanging up")


def call(arguments: argparse.Namespace) -> int:
    with joined(arguments.lab) as (record, exchange):
        if arguments.box not in record.facts["boxes"]:
            raise LabError(f"no box {arguments.box} in lab {record.number}")
        box = Machine(_machine(record, arguments.box, "", None), record)
        watch = SeatWatch(box.path("/var/log/asterisk/cel-custom/journal.jsonl"), arguments.from_)
        one = exchange.dial(
            arguments.from_, arguments.to, digits=arguments.digits, digits_after_s=arguments.digits_after,
            audio=arguments.audio, box=arguments.box, name=arguments.name,
        )  # fmt: skip
        try:
            _follow(one, arguments, watch)
        finally:
            one.hang_up()
        heard = one.heard()
    cause = f"cause {heard.cause} {heard.cause_text}".rstrip()
    if not heard.answered:
        print(f"not answered; {cause}")
        return 1
    level = f"{heard.level_dbfs:.1f} dBFS" if heard.seconds else "nothing"
    print(f"heard {heard.seconds:.1f} s, level {level}, at the end {heard.tone_hz:.0f} Hz; {cause}")
    print(f"sound {heard.wav}")
    return 0
