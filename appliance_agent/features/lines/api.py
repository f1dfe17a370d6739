"""HTTP routes of the lines. Thin: each calls the service and shapes the answer."""

from collections.abc import Awaitable, Callable, Mapping

from appliance_agent.features.lines.model import (
    HistoryOut,
    HistoryQuery,
    LineDetail,
    LinesOut,
    Replacement,
)
from appliance_agent.features.lines.service import Lines
from appliance_agent.http.route import Call, Identity, Role, Route

Audit = Callable[[Identity, str, Mapping[str, object]], Awaitable[None]]


class LinesApi:
    def __init__(self, lines: Lines, audit: Audit) -> None:
        self._lines, self._audit = lines, audit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/lines", Role.TECHNICIAN, self._overview, "Cards and lines of the box", reply=LinesOut),
            Route("POST", "/lines/look", Role.TECHNICIAN, self._look, "Look for cards now", reply=LinesOut),
            Route("GET", "/lines/{name}", Role.TECHNICIAN, self._detail, "One line as it is now", reply=LineDetail,
                  errors=(404,)),
            Route("GET", "/lines/{name}/history", Role.TECHNICIAN, self._history, "Its alarms and errors",
                  query=HistoryQuery, reply=HistoryOut, errors=(404,)),
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

    async def _forget(self, call: Call) -> LinesOut:
        card = await self._lines.forget(call.path["id"])
        await self._audit(call.who, "cards.forget", {"card": str(card)})
        return self._lines.overview()

    async def _replace(self, call: Call) -> LinesOut:
        order: Replacement = call.body
        old, new = await self._lines.replace(call.path["id"], order.by)
        await self._audit(call.who, "cards.replace", {"card": str(old), "by": str(new)})
        return self._lines.overview()
