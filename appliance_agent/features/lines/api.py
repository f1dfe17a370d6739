"""HTTP routes of the lines. Thin: each calls the service and shapes the answer."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from appliance_agent.features.lines.model import (
    HistoryOut,
    HistoryQuery,
    LineDetail,
    LinesOut,
    LineTestOrder,
    LineTestOut,
    LineTestsOut,
    Replacement,
    Timeslots,
    TraceOrder,
    TraceOut,
)
from appliance_agent.features.lines.service import Lines
from appliance_agent.http.bind import BINARY
from appliance_agent.http.route import Call, Identity, Role, Route

Audit = Callable[[Identity, str, Mapping[str, object]], Awaitable[None]]


class LinesApi:
    def __init__(self, lines: Lines, audit: Audit) -> None:
        self._lines, self._audit = lines, audit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/lines", Role.TECHNICIAN, self._overview, "Cards and lines of the box", reply=LinesOut),
            Route("POST", "/cards", Role.TECHNICIAN, self._look, "Look for cards now", reply=LinesOut),
            Route("GET", "/lines/{name}", Role.TECHNICIAN, self._detail, "One line as it is now", reply=LineDetail,
                  errors=(404,)),
            Route("GET", "/lines/{name}/history", Role.TECHNICIAN, self._history, "Its alarms and errors",
                  query=HistoryQuery, reply=HistoryOut, errors=(404,)),
            Route("POST", "/lines/{name}/block", Role.TECHNICIAN, self._block,
                  "Takes a line, or timeslots of it, out of service", body=Timeslots, reply=LineDetail,
                  errors=(404, 409)),
            Route("POST", "/lines/{name}/unblock", Role.TECHNICIAN, self._unblock, "Gives it back",
                  body=Timeslots, reply=LineDetail, errors=(404, 409)),
            Route("GET", "/lines/{name}/traces", Role.TECHNICIAN, self._traces, "Its traces, newest first",
                  reply=list[TraceOut], errors=(404,)),
            Route("POST", "/lines/{name}/traces", Role.TECHNICIAN, self._trace, "Write down what its signalling says",
                  body=TraceOrder, reply=TraceOut, status=202, errors=(404, 409)),
            Route("POST", "/traces/{id}/stop", Role.TECHNICIAN, self._stop, "End a trace now", reply=TraceOut,
                  errors=(404,)),
            Route("GET", "/traces/{id}", Role.TECHNICIAN, self._text, "What was written down", reply=BINARY,
                  media="text/plain", errors=(404,)),
            Route("GET", "/lines/{name}/tests", Role.TECHNICIAN, self._tests, "What can be tested on it, and what was",
                  reply=LineTestsOut, errors=(404,)),
            Route("POST", "/lines/{name}/tests", Role.TECHNICIAN, self._test, "Test it", body=LineTestOrder,
                  reply=LineTestOut, status=202, errors=(404, 409)),
            Route("POST", "/line-tests/{id}/stop", Role.TECHNICIAN, self._stop_test, "End a test now",
                  reply=LineTestOut, errors=(404,)),
            Route("DELETE", "/cards/{id}", Role.TECHNICIAN, self._forget,
                  "A card that will not come back: its lines' names are free again", reply=LinesOut, errors=(404, 409)),
            Route("POST", "/cards/{id}/replace", Role.TECHNICIAN, self._replace,
                  "Another card takes over the names of this one's lines", body=Replacement, reply=LinesOut,
                  errors=(404, 409)),
        ]  # fmt: skip

    async def _overview(self, _call: Call) -> LinesOut:
        return self._lines.overview()

    async def _look(self, _call: Call) -> LinesOut:
        return await self._lines.look()

    async def _detail(self, call: Call) -> LineDetail:
        return self._lines.detail(call.path["name"])

    async def _history(self, call: Call) -> HistoryOut:
        query: HistoryQuery = call.query
        return await self._lines.history(call.path["name"], query.hours, query.limit)

    async def _block(self, call: Call) -> LineDetail:
        return await self._set_block(call, on=True)

    async def _unblock(self, call: Call) -> LineDetail:
        return await self._set_block(call, on=False)

    async def _set_block(self, call: Call, *, on: bool) -> LineDetail:
        order: Timeslots = call.body
        name = call.path["name"]
        detail = await self._lines.block(name, order.timeslots, call.who.login, on=on)
        told = {"line": name, "timeslots": order.timeslots}
        await self._audit(call.who, "lines.block" if on else "lines.unblock", told)
        return detail

    async def _traces(self, call: Call) -> list[TraceOut]:
        return await self._lines.traces(call.path["name"])

    async def _trace(self, call: Call) -> TraceOut:
        order: TraceOrder = call.body
        trace = await self._lines.trace(call.path["name"], order.seconds, call.who.login)
        await self._audit(call.who, "lines.trace", {"line": trace.line, "seconds": order.seconds})
        return trace

    async def _stop(self, call: Call) -> TraceOut:
        return await self._lines.stop_trace(call.path["id"])

    async def _text(self, call: Call) -> web.Response:
        trace, text = await self._lines.trace_text(call.path["id"])
        name = f"{trace.line}-{trace.began_at[:19].replace(':', '')}.txt"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=text, content_type="text/plain", charset="utf-8", headers=headers)

    async def _tests(self, call: Call) -> LineTestsOut:
        return await self._lines.tests(call.path["name"])

    async def _test(self, call: Call) -> LineTestOut:
        order: LineTestOrder = call.body
        test = await self._lines.test(call.path["name"], order, call.who.login)
        await self._audit(call.who, "lines.test", {"line": test.line, **order.model_dump(mode="json")})
        return test

    async def _stop_test(self, call: Call) -> LineTestOut:
        return await self._lines.stop_test(call.path["id"])

    async def _forget(self, call: Call) -> LinesOut:
        card = await self._lines.forget(call.path["id"])
        await self._audit(call.who, "cards.forget", {"card": str(card)})
        return self._lines.overview()

    async def _replace(self, call: Call) -> LinesOut:
        order: Replacement = call.body
        old, new = await self._lines.replace(call.path["id"], order.by)
        await self._audit(call.who, "cards.replace", {"card": str(old), "by": str(new)})
        return self._lines.overview()
