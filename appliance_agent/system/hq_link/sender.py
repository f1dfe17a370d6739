"""Sends the outbox: agree on the mark, then batch after batch; the next is packed while HQ takes the last."""

import asyncio
from collections.abc import Callable

import aiohttp
import structlog

from appliance_agent.kernel.clock import Clock
from appliance_agent.store.database import Database
from appliance_agent.store.outbox import Outbox, SyncState
from appliance_agent.system.hq_link import backfill
from appliance_agent.system.hq_link.answers import Away, Behind, ask
from appliance_agent.system.hq_link.packing import Packed, Packer
from appliance_agent.system.hq_link.retry import pause_s
from contracts.sync import BATCH_PATH, MARK_PATH, Mark

log = structlog.get_logger()

LOOK_S = 1.0
"""How often a link that has nothing to tell looks whether there is something."""
ASK_S = 60.0
"""After so long without an answer a link that has nothing to tell asks: HQ may have gone, or have lost what it had."""


class Sender:
    def __init__(
        self, *, database: Database, outbox: Outbox, packer: Packer, clock: Clock, contact: Callable[[], None]
    ) -> None:
        self._database, self._outbox, self._packer = database, outbox, packer
        self._clock, self._contact = clock, contact
        self.now = asyncio.Event()
        """Somebody does not want to wait for the next look."""
        self._answered = clock.monotonic()

    async def send(self, http: aiohttp.ClientSession, state: SyncState) -> None:
        """Until something is wrong (Away), or until another epoch has to begin or was begun (returns)."""
        mark = await _ask_mark(http, state)
        while True:
            if not await self._agree(state, mark):
                return
            try:
                await self._stream(http, state, mark)
                return
            except Behind as behind:
                log.info("headquarters has less than the next batch begins with", mark=behind.answer)
                if (found := _mark(behind.answer, state.epoch)) == mark:
                    raise Away("garbage", "HQ refuses what follows its own mark") from behind
                mark = found

    async def _agree(self, state: SyncState, mark: int) -> bool:
        """HQ has more than was sent: this database is older than it seems. Less than it had: HQ lost it. Both: anew."""
        self._heard()
        now = await self._outbox.state()
        if now is None or now.epoch != state.epoch:
            return False
        if mark < now.mark or mark > now.packed:
            log.warning("headquarters and box disagree: all is told again", hq=mark, box=now.mark, packed=now.packed)
            await self._outbox.new_epoch()
            return False
        await self._outbox.took(state.epoch, mark)
        return True

    async def _stream(self, http: aiohttp.ClientSession, begun: SyncState, mark: int) -> None:
        url, epoch = f"https://{begun.address}{BATCH_PATH}", begun.epoch
        batch = await self._packer.next(epoch, mark)
        while True:
            state = await self._outbox.state()
            if state is None or state.epoch != epoch:
                return
            if batch is None:
                silent = self._clock.monotonic() - self._answered > ASK_S
                if silent and not await self._agree(state, await _ask_mark(http, state)):
                    return
                if not await backfill.step(self._database, self._clock.now_us()):
                    await self._look()
                batch = await self._packer.next(epoch, state.mark)
                continue
            batch = await self._turn(http, url, state, batch)

    async def _turn(self, http: aiohttp.ClientSession, url: str, state: SyncState, batch: Packed) -> Packed | None:
        """Sends one batch and packs the one behind it. The packing is short, and is not cut off."""
        began, epoch = self._clock.monotonic(), state.epoch
        ahead = asyncio.create_task(self._ahead(epoch, batch.last), name="next batch")
        try:
            headers = {"Content-Type": "application/octet-stream"}
            mark = _mark(await ask(http, "POST", url, data=batch.data, headers=headers), epoch)
            if mark < batch.last:
                raise Away("garbage", f"HQ took a batch up to {batch.last} and says it has {mark}")
            following = await ahead
        finally:
            await asyncio.gather(ahead, return_exceptions=True)
        await self._outbox.took(epoch, batch.last)
        self._heard()
        await asyncio.sleep(pause_s(len(batch.data), self._clock.monotonic() - began, state.rate_kbit))
        return following

    async def _ahead(self, epoch: str, after: int) -> Packed | None:
        await backfill.step(self._database, self._clock.now_us())
        return await self._packer.next(epoch, after)

    def _heard(self) -> None:
        self._answered = self._clock.monotonic()
        self._contact()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self.now.wait()
        except TimeoutError:
            return
        self.now.clear()


async def _ask_mark(http: aiohttp.ClientSession, state: SyncState) -> int:
    url = f"https://{state.address}{MARK_PATH}"
    return _mark(await ask(http, "GET", url, params={"epoch": state.epoch}), state.epoch)


def _mark(answer: dict[str, object], epoch: str) -> int:
    mark = Mark(str(answer.get("epoch")), seq) if type(seq := answer.get("seq")) is int else None
    if mark is None or mark.epoch != epoch or mark.seq < 0:
        raise Away("garbage", f"HQ's mark is {str(answer)[:200]}")
    return mark.seq
