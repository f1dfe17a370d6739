"""/ws → Asterisk's WebSocket. Independent of the agent: it reads sessions from the database itself."""

import asyncio
import sqlite3
from collections import Counter
from dataclasses import dataclass

import aiohttp
import structlog
from aiohttp import web

from appliance_agent.front import answers, origin
from appliance_agent.front.relay import relay
from appliance_agent.front.sip_guard import MESSAGE_LIMIT, Refuse, SipGuard
from appliance_agent.store.sessions import COOKIE, FrontSession, SessionLookup, session_id

log = structlog.get_logger()

CONNECT_LIMIT_S = 2.0
POLL_S = 3.0
"""How often open sockets' sessions are looked up again. The database may be unreadable for a while: sockets stay."""
SOCKETS_LIMIT = 1000
PER_SESSION = 4
"""A page that reconnects may briefly hold its old socket as well."""
SESSION_ENDED = 4001
FORBIDDEN = 4003


@dataclass(eq=False)
class _Open:
    session: str
    username: str
    page: web.WebSocketResponse


class SipProxy:
    """`async with`: runs the poll that closes sockets whose session has ended."""

    def __init__(self, sessions: SessionLookup, asterisk: str) -> None:
        self._sessions, self._asterisk = sessions, asterisk
        self._open: set[_Open] = set()
        self._per_session: Counter[str] = Counter()

    async def __aenter__(self) -> "SipProxy":
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_LIMIT_S)
        connector = aiohttp.TCPConnector(limit=0)
        self._client = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        self._poller = asyncio.create_task(self._poll(), name="sip-sessions")
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._poller.cancel()
        await asyncio.gather(self._poller, return_exceptions=True)
        closing = [entry.page.close(code=1001, message=b"restart") for entry in self._open]
        await asyncio.gather(*closing, return_exceptions=True)
        await self._client.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not origin.is_own(request):
            raise answers.refused(403, "request.origin", "The request comes from a page of another site.")
        session = await self._session(request)
        page = web.WebSocketResponse(protocols=("sip",), max_msg_size=MESSAGE_LIMIT, compress=False, heartbeat=20)
        if not page.can_prepare(request) or not _offers_sip(request):
            raise answers.refused(400, "request.websocket", "This address speaks the WebSocket subprotocol sip only.")
        if len(self._open) >= SOCKETS_LIMIT or self._per_session[session.id] >= PER_SESSION:
            raise answers.refused(503, "phone.full", "Too many phone connections.", retry_after_s=5)
        return await self._join(request, page, session)

    async def _session(self, request: web.Request) -> FrontSession:
        token = request.cookies.get(COOKIE, "")
        try:
            session = await asyncio.to_thread(self._sessions.find, session_id(token)) if token else None
        except sqlite3.Error as error:
            log.warning("sessions cannot be read", reason=str(error))
            refusal = answers.refused(503, "session.unreadable", "Sessions cannot be read now.", retry_after_s=1)
            raise refusal from error
        if session is None:
            raise answers.refused(401, "session.none", "Log in first: there is no session or it has ended.")
        if not session.sip_username:
            raise answers.refused(403, "session.no_phone", "This session has no browser phone.")
        return session

    async def _join(
        self, request: web.Request, page: web.WebSocketResponse, session: FrontSession
    ) -> web.StreamResponse:
        assert session.sip_username, "checked by handle"
        entry = _Open(session.id, session.sip_username, page)
        self._open.add(entry)
        self._per_session[session.id] += 1
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                asterisk = await self._client.ws_connect(
                    self._asterisk, protocols=("sip",), max_msg_size=MESSAGE_LIMIT, compress=0, autoping=True
                )
            async with asterisk:
                await page.prepare(request)
                await relay(page, asterisk, _Checked(entry).check)
            return page
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if page.prepared:
                return page
            log.info("Asterisk's WebSocket does not answer", reason=type(error).__name__)
            return answers.error(503, "asterisk.unavailable", "The telephone system is restarting.", retry_after_s=1)
        finally:
            self._open.discard(entry)
            self._per_session[session.id] -= 1
            if not self._per_session[session.id]:
                del self._per_session[session.id]

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            for entry in list(self._open):
                try:
                    session = await asyncio.to_thread(self._sessions.find, entry.session)
                except sqlite3.Error as error:
                    log.warning("sessions cannot be read; phones stay connected", reason=str(error))
                    break
                if session is None or session.sip_username != entry.username:
                    async with asyncio.timeout(POLL_S):
                        await entry.page.close(code=SESSION_ENDED, message=b"session ended")


class _Checked:
    def __init__(self, entry: _Open) -> None:
        self._guard = SipGuard(entry.username)
        self._page = entry.page
        self._username = entry.username

    async def check(self, data: str | bytes) -> bool:
        verdict = self._guard.check(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
        if isinstance(verdict, Refuse):
            log.warning("SIP from a page refused", username=self._username, why=verdict.why)
            if verdict.reply is not None:
                await self._page.send_str(verdict.reply.decode())
            await self._page.close(code=FORBIDDEN, message=b"forbidden")
            return False
        return True


def _offers_sip(request: web.Request) -> bool:
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    return "sip" in {protocol.strip() for protocol in offered.split(",")}
