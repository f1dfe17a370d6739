"""make bench-quality: what listening to RTCP costs the agent with 200 calls up: 400 legs, two reports each in 5 s.

The agent's own parts read real events (tests/unit/captures) as bytes, in the order in which they would come: AMI
parser, conversion, bus, windows; and every 30 s a transaction for all legs. Without quality Asterisk would keep these
events to itself (an AMI filter), so all of it is what quality costs.
"""

import asyncio
import json
import tempfile
import time
from pathlib import Path

from appliance_agent.asterisk.ami_wire import AmiParser
from appliance_agent.asterisk.models import ChannelGone, from_ami
from appliance_agent.asterisk.rtcp import RtcpReport
from appliance_agent.features.quality.fold import Legs
from appliance_agent.features.quality.service import STORE_S
from appliance_agent.features.quality.store import QualityStore
from appliance_agent.kernel.bus import Bus
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade

CAPTURE = Path(__file__).parents[1] / "unit/captures/rtcp.jsonl"
LEGS, REPORT_S, TALK_S = 400, 5, 120
OTHERS = 15
"""Parts of the agent that listen to other events: each is asked whether it wants this one."""
START_US = 1_795_449_130_000_000


def events() -> list[bytes]:
    """One sent and one received report of each leg, for each 5 s."""
    rows = [dict(json.loads(line)["fields"]) for line in CAPTURE.read_text().splitlines()]
    sent = next(row for row in rows if row["Event"] == "RTCPSent")
    received = next(row for row in rows if row["Event"] == "RTCPReceived" and row["Report0LSR"] != "0")
    found = []
    for round_ in range(TALK_S // REPORT_S):
        for leg in range(LEGS):
            for row in (sent, received):
                number = {"Uniqueid": f"1795449130.{leg}", "Report0HighestSequence": str(1000 + 250 * round_)}
                fields = (row | number | {"Report0CumulativeLost": str(round_)}).items()
                found.append("".join(f"{key}: {value}\r\n" for key, value in fields).encode() + b"\r\n")
    return found


async def measure(folder: Path) -> dict[str, float]:
    upgrade(folder / "box.db")
    database = Database(folder / "box.db")
    store, bus, legs, parser = QualityStore(database), Bus(), Legs(), AmiParser()
    parser.feed(b"Asterisk Call Manager/11.0.0\r\n")
    stream = events()
    for _ in range(OTHERS):
        bus.subscribe(ChannelGone).__enter__()
    each = 2 * LEGS
    listening = storing = 0.0
    with bus.subscribe(RtcpReport, limit=20_000) as reports:
        for round_ in range(TALK_S // REPORT_S):
            now_us = START_US + round_ * REPORT_S * 1_000_000
            before = time.process_time()
            for event in stream[round_ * each : (round_ + 1) * each]:
                for message in parser.feed(event):
                    bus.publish(from_ami(message))
                legs.report(await reports.get(), now_us)
            listening += time.process_time() - before
            if (round_ + 1) * REPORT_S % STORE_S == 0:
                before = time.process_time()
                await store.add(legs.take(now_us + 10_000_000, ended_only=False))
                storing += time.process_time() - before
    await database.close()
    return {
        "us_per_event": round(listening / len(stream) * 1e6, 1),
        "events_per_s": each / REPORT_S,
        "listening_pct_of_a_core": round(100 * listening / TALK_S, 2),
        "storing_pct_of_a_core": round(100 * storing / TALK_S, 2),
        "database_kib": round((folder / "box.db").stat().st_size / 1024),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(f"{LEGS} legs, {TALK_S} s of talk")
        print(json.dumps(asyncio.run(measure(Path(folder)))))


if __name__ == "__main__":
    main()
