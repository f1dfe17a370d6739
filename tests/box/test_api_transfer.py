"""A transfer through the API is one call in the records: the customer's, with the legs of all who talked to them."""

import asyncio
from pathlib import Path

import pytest

from tests.box.api import until_async
from tests.box.office import office
from tests.callers.audio import read_wav, tone_share
from tests.lab.lab import Lab

pytestmark = pytest.mark.lab

CALLER, DID = "13700000077", "075588886666"
SEAT, COLLEAGUE = "1011", "1012"


async def test_an_attended_transfer_is_counted_once(lab: Lab, tmp_path: Path) -> None:
    async with office(lab, (SEAT, COLLEAGUE), record_dir=tmp_path) as it:
        await it.seats[COLLEAGUE].put("/seats/me", {"state": "busy", "reason": "meeting"})
        call = it.lab.exchange.dial(CALLER, DID, digits="1", digits_after_s=2.0, limit_s=120)
        await it.phones.wait("answered", ext=SEAT, limit_s=40)

        async def states(wanted: list[str]) -> list[dict[str, str]]:
            live = await until_async(
                lambda: it.admin.get("/live"),
                lambda live: sorted(one["state"] for one in live["calls"]) == wanted, 20, str(wanted),
            )  # fmt: skip
            found: list[dict[str, str]] = live["calls"]
            return found

        await it.phones.send("hold", ext=SEAT, on=True)
        (held,) = await states(["held"])
        await it.phones.send("call", ext=SEAT, to=COLLEAGUE)
        await it.phones.wait("answered", ext=COLLEAGUE)
        await states(["held", "talking"])
        await it.seats[SEAT].post(f"/calls/{held['call_id']}/transfer", {"to": COLLEAGUE, "kind": "attended"})
        (joined,) = await states(["talking"])
        assert (joined["call_id"], joined["extension"]) == (held["call_id"], COLLEAGUE)
        assert not await asyncio.to_thread(call.wait, "ended", 2.5), "the caller talks on with the colleague"
        call.hang_up()
        await it.phones.wait("ended", ext=COLLEAGUE)

        record = await it.admin.record_of(CALLER)
        transfers = [item for item in record["timeline"] if item["kind"] == "transfer"]
        assert [item["detail"] for item in transfers] == [{"kind": "attended", "by": SEAT, "to": COLLEAGUE}]
        assert (record["result"], record["transfers"], record["extension"]) == ("answered", 1, COLLEAGUE)
        assert {SEAT, COLLEAGUE} <= {leg["extension"] for leg in record["legs"]}
        assert (await it.admin.get(f"/records?number={CALLER}"))["total"] == 1
        assert not (await it.admin.get(f"/records?number={SEAT}&direction=internal"))["total"], "no call of its own"
        heard = read_wav(call.heard().wav)  # type: ignore[arg-type]
        assert tone_share(heard.channels[0][-2 * heard.rate :], heard.rate, it.tones[COLLEAGUE]) > 0.8
