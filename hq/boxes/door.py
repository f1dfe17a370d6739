"""Which box is at the other end of a request: asked for each request, answered by the certificate and the database.

TLS has checked that a certificate, if there is one, is signed by our authority and that its key is there; not its
time (`server_context`), so that a box whose certificate ran out is told so, and not only cut off.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import structlog
from aiohttp import web
from cryptography import x509
from cryptography.x509.oid import NameOID

from appliance_agent.http import peer
from appliance_agent.http.limiter import AttemptLimiter
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from hq.authority import files
from hq.store import audit
from hq.store.database import Database

log = structlog.get_logger()

NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name."""
AUDITED_PER_ADDRESS, AUDITED_WINDOW_S = 60, 60.0
"""Refusals of one address that are written down; further ones are in the log only."""


class Refusal(StrEnum):
    """Why a box is refused: a closed set."""

    NONE = "certificate.none"
    UNKNOWN = "certificate.unknown"
    REVOKED = "certificate.revoked"
    EXPIRED = "certificate.expired"
    OTHER_BOX = "box.other"
    EPOCH = "epoch.closed"
    BATCH = "batch.bad"
    CODE = "enrol.code"
    REQUEST = "enrol.request"
    TOO_MANY = "enrol.too_many"


_WORDS = {
    Refusal.NONE: ("The request comes without a certificate.", "Enrol the box with a code of headquarters."),
    Refusal.UNKNOWN: ("Headquarters does not know this certificate.", "Enrol the box anew."),
    Refusal.REVOKED: ("Headquarters has revoked this certificate.", "Ask headquarters why; then enrol the box anew."),
    Refusal.EXPIRED: ("The certificate's time is over.", "Enrol the box anew."),
    Refusal.OTHER_BOX: ("The request speaks for another box than its certificate.", "Enrol the box under its own id."),
}


@dataclass(frozen=True, slots=True)
class Known:
    box: str
    serial: str


def server_context(folder: files.Folder) -> ssl.SSLContext:
    """Blocking. One port for boxes and browsers: a certificate may be shown, and is then ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder.server, folder.server_key)
    context.load_verify_locations(folder.authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    return context


class Door:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._audited = AttemptLimiter(attempts=AUDITED_PER_ADDRESS, window_s=AUDITED_WINDOW_S)

    async def known(self, request: web.Request) -> Known:
        """Raises Fault with a Refusal as its key."""
        shown = _certificate(request)
        if shown is None:
            raise _refused(Refusal.NONE, FaultKind.UNAUTHENTICATED)
        serial = f"{shown.serial_number:x}"
        names = [str(name.value) for name in shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        async with self._database.read() as transaction:
            rows = await transaction.rows("SELECT box, until_us, revoked_us FROM certificate WHERE serial = ?", serial)
        if not rows or names != [rows[0]["box"]]:
            raise _refused(Refusal.UNKNOWN)
        if rows[0]["revoked_us"] is not None:
            raise _refused(Refusal.REVOKED)
        if rows[0]["until_us"] <= self._clock.now_us():
            raise _refused(Refusal.EXPIRED)
        return Known(rows[0]["box"], serial)

    @asynccontextmanager
    async def recorded(self, request: web.Request, action: str) -> AsyncIterator[None]:
        """Refusals inside are written down."""
        shown, address = _certificate(request), peer.address(request)  # the request may be over by then
        who = shown.subject.rfc4514_string() if shown is not None else ""
        try:
            yield
        except Fault as fault:
            if fault.key in set(Refusal):
                await self._write_down(action, fault, who, address)
            raise

    async def _write_down(self, action: str, fault: Fault, who: str, address: str) -> None:
        log.warning("a box was refused", action=action, reason=fault.key, who=who, address=address)
        if not self._audited.begin(address, self._clock.monotonic()):
            await audit.write(
                self._database, self._clock.now_us(), who=who, address=address, action=f"refused.{action}",
                detail={"reason": fault.key, "message": fault.message},
            )  # fmt: skip


def other_box() -> Fault:
    return _refused(Refusal.OTHER_BOX)


def _refused(why: Refusal, kind: FaultKind = FaultKind.DENIED) -> Fault:
    message, hint = _WORDS[why]
    return Fault(kind, why.value, message, hint=hint)


def _certificate(request: web.Request) -> x509.Certificate | None:
    transport = request.transport
    found = transport.get_extra_info("ssl_object") if transport is not None and not transport.is_closing() else None
    der = found.getpeercert(binary_form=True) if found is not None else None
    return x509.load_der_x509_certificate(der) if der else None
