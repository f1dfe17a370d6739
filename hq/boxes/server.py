"""Headquarters' address for boxes, HTTPS: enrolment, batches, marks, and the live socket."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, fields

from aiohttp import web

from appliance_agent.http import middleware, peer
from appliance_agent.http.limiter import AttemptLimiter
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from contracts import enrol, live, sync
from hq.authority import files
from hq.authority.enrolment import Enrolment
from hq.boxes.door import Door, Refusal, other_box
from hq.boxes.intake import Gap, Intake
from hq.boxes.live import LiveBoxes

MOST_REQUEST = 16 * 1024
"""Of an enrolment."""
TRIES, WINDOW_S = 10, 600.0
"""Enrolments of one address. A code has 80 bits: this is against noise, not against guessing."""
READ_S = 60.0
"""For a body: a box whose network died must hold no place for hours."""
AT_ONCE = 32
"""Batches in memory; each may have MOST_PACKED bytes and the 8 MiB that come out of it."""
OF_A_BOX = 2
"""The one before may still be waiting for a network that is gone."""


class BoxServer:
    def __init__(
        self, *, folder: files.Folder, enrolment: Enrolment, door: Door, intake: Intake, live: LiveBoxes, clock: Clock
    ) -> None:
        self._folder, self._enrolment, self._door = folder, enrolment, door
        self._intake, self._live, self._clock = intake, live, clock
        self._tries = AttemptLimiter(attempts=TRIES, window_s=WINDOW_S)
        self._batches: Counter[str] = Counter()
        """Under way, by box."""

    def application(self) -> web.Application:
        app = web.Application(
            middlewares=[middleware.log_request, middleware.answer_failures], client_max_size=sync.MOST_PACKED
        )
        app.on_response_prepare.append(middleware.mark_started)
        app.router.add_get(enrol.AUTHORITY_PATH, self.authority)
        app.router.add_post(enrol.ENROL_PATH, self.enrol)
        app.router.add_post(sync.BATCH_PATH, self.batch)
        app.router.add_get(sync.MARK_PATH, self.mark)
        app.router.add_get(live.LIVE_PATH, self.live)
        return app

    async def authority(self, _request: web.Request) -> web.Response:
        """Of anybody: it is public. The code's pin tells the box whether it is the right one."""
        pem = await asyncio.to_thread(self._folder.authority.read_text, "ascii")
        return web.Response(text=pem, content_type="application/x-pem-file")

    async def enrol(self, request: web.Request) -> web.Response:
        address = peer.address(request)
        async with self._door.recorded(request, "enrol"):
            if wait_s := self._tries.begin(address, self._clock.monotonic()):
                raise Fault(
                    FaultKind.TOO_MANY, Refusal.TOO_MANY.value, f"More than {TRIES} enrolments come from {address}.",
                    hint=f"Try again in {wait_s} seconds.", retry_after_s=wait_s,
                )  # fmt: skip
            answer = await self._enrolment.enrol(_enrol_request(await _small(request)), address)
            self._tries.take_back(address)  # many boxes are set up in one room
        return web.json_response(asdict(answer))

    async def batch(self, request: web.Request) -> web.Response:
        """200 and the mark; 409 and the mark for a batch that begins beyond it."""
        async with self._door.recorded(request, "batch"):
            known = await self._door.known(request)
            async with self._one_of_many(known.box):
                try:
                    batch = await asyncio.to_thread(sync.unpack, await _body(request))
                except sync.BadBatch as error:
                    raise Fault(
                        FaultKind.INVALID, Refusal.BATCH.value, f"The batch cannot be read: {error}",
                        hint="Bring headquarters and box to the same version.",
                    ) from error  # fmt: skip
                if batch.box != known.box:
                    raise other_box()
                try:
                    mark = await self._intake.take(batch)
                except Gap as gap:
                    return web.json_response(asdict(gap.mark), status=409)
        return web.json_response(asdict(mark))

    async def mark(self, request: web.Request) -> web.Response:
        async with self._door.recorded(request, "mark"):
            known = await self._door.known(request)
            epoch = request.query.get("epoch", "")
            if not sync.EPOCH.fullmatch(epoch):
                raise Fault(FaultKind.INVALID, "mark.epoch", "epoch: 32 hexadecimal digits.")
        return web.json_response(asdict(await self._intake.mark(known.box, epoch)))

    async def live(self, request: web.Request) -> web.StreamResponse:
        async with self._door.recorded(request, "live"):
            known = await self._door.known(request)
            return await self._live.handle(request, known)

    @asynccontextmanager
    async def _one_of_many(self, box: str) -> AsyncIterator[None]:
        if self._batches.total() >= AT_ONCE or self._batches[box] >= OF_A_BOX:
            raise Fault(
                FaultKind.UNAVAILABLE, "batch.busy",
                f"{self._batches.total()} batches come at once, {self._batches[box]} of this box.", retry_after_s=5,
            )  # fmt: skip
        self._batches[box] += 1
        try:
            yield
        finally:
            self._batches[box] -= 1
            self._batches += Counter()  # forgets those that have none


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(READ_S):
            return await request.read()
    except TimeoutError as error:
        raise Fault(
            FaultKind.UNAVAILABLE, "body.late", f"The body did not come within {READ_S:g} s.", retry_after_s=5
        ) from error  # fmt: skip


async def _small(request: web.Request) -> bytes:
    if request.content_length is None or request.content_length > MOST_REQUEST:
        raise Fault(
            FaultKind.TOO_LARGE, Refusal.REQUEST.value, f"A body of at most {MOST_REQUEST} bytes, with its length."
        )
    return await _body(request)


def _enrol_request(body: bytes) -> enrol.Request:
    names = [field.name for field in fields(enrol.Request)]
    try:
        said = json.loads(body)
        texts = [said[name] for name in names]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _bad_request(f"an object with {', '.join(names)}: {error!r}") from error
    if not all(isinstance(text, str) for text in texts):
        raise _bad_request(f"{', '.join(names)} are texts")
    return enrol.Request(*texts)


def _bad_request(why: str) -> Fault:
    return Fault(FaultKind.INVALID, Refusal.REQUEST.value, f"The body is {why}.", hint="Is the box of another version?")
