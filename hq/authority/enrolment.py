"""Codes, and the certificates that boxes get for them."""

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from contracts import enrol
from hq.authority import files
from hq.store import audit
from hq.store.database import Database

CODE_US = 3600 * 1_000_000
BOX_YEARS_US = 2 * 365 * 86_400 * 1_000_000
BOX_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
MOST_CSR = 8192


@dataclass(frozen=True, slots=True)
class NewCode:
    text: str
    """For the technician; kept nowhere."""
    until_us: int


class Enrolment:
    def __init__(self, database: Database, folder: files.Folder, clock: Clock) -> None:
        self._database, self._folder, self._clock = database, folder, clock

    async def new_code(self, branch: str, by: str, address: str) -> NewCode:
        authority, _key = await asyncio.to_thread(files.load, self._folder)
        pin = enrol.pin_of(authority.public_bytes(serialization.Encoding.DER))
        secret = "".join(secrets.choice(enrol.ALPHABET) for _ in range(enrol.SECRET_LETTERS))
        now = self._clock.now_us()
        async with self._database.write() as transaction:
            await transaction.run(
                "INSERT INTO enrol_code (secret_sha256, branch, made_us, made_by, until_us) VALUES (?, ?, ?, ?, ?)",
                _digest(secret), branch, now, by, now + CODE_US,
            )  # fmt: skip
            await audit.add(transaction, now, who=by, address=address, action="enrol.code", detail={"branch": branch})
        return NewCode(enrol.show(enrol.Code(secret, pin)), now + CODE_US)

    async def enrol(self, request: enrol.Request, address: str) -> enrol.Answer:
        """Raises Fault; the caller writes refusals down. The code is used up with the certificate, not before."""
        csr = await asyncio.to_thread(_checked_csr, request)
        now = self._clock.now_us()
        serial = x509.random_serial_number()
        certificate = await asyncio.to_thread(
            files.for_box, self._folder, csr, request.box_id, serial=serial, from_us=now, until_us=now + BOX_YEARS_US,
        )  # fmt: skip
        async with self._database.write() as transaction:
            used = await transaction.rows(
                "UPDATE enrol_code SET used_us = ?, used_by = ?"
                " WHERE secret_sha256 = ? AND used_us IS NULL AND until_us > ? RETURNING branch",
                now, request.box_id, _digest(request.secret), now,
            )  # fmt: skip
            if not used:
                raise Fault(
                    FaultKind.DENIED, "enrol.code", "The code is unknown, was used, or is older than an hour.",
                    hint="Ask headquarters for a new one.",
                )  # fmt: skip
            branch = used[0]["branch"]
            # A box that was there keeps its records; its older certificates end with the new one.
            await transaction.run(
                "UPDATE certificate SET revoked_us = ?, revoked_by = ? WHERE box = ? AND revoked_us IS NULL",
                now, "enrol", request.box_id,
            )  # fmt: skip
            await transaction.run(
                "INSERT INTO box (id, name, epoch, inventory, enrolled_us) VALUES (?, ?, '', '{}', ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, enrolled_us = excluded.enrolled_us",
                request.box_id, branch, now,
            )  # fmt: skip
            await transaction.run(
                "INSERT INTO certificate (serial, box, made_us, until_us) VALUES (?, ?, ?, ?)",
                f"{serial:x}", request.box_id, now, now + BOX_YEARS_US,
            )  # fmt: skip
            detail = {"branch": branch, "hardware": request.hardware, "edition": request.edition}
            await audit.add(transaction, now, who=request.box_id, address=address, action="enrol.done", detail=detail)
        authority, _key = await asyncio.to_thread(files.load, self._folder)
        pem = authority.public_bytes(serialization.Encoding.PEM)
        return enrol.Answer(certificate.decode("ascii"), pem.decode("ascii"), branch)

    async def revoke(self, box: str, by: str, address: str) -> None:
        """All certificates of the box. Each server's `LiveBoxes.watch` closes its connection."""
        now = self._clock.now_us()
        async with self._database.write() as transaction:
            if not await transaction.rows("SELECT 1 FROM box WHERE id = ?", box):
                raise Fault(FaultKind.NOT_FOUND, "box.unknown", f"There is no box {box}.")
            await transaction.run(
                "UPDATE certificate SET revoked_us = ?, revoked_by = ? WHERE box = ? AND revoked_us IS NULL",
                now, by, box,
            )  # fmt: skip
            await audit.add(transaction, now, who=by, address=address, action="box.revoke", detail={"box": box})


def _digest(secret: str) -> str:
    """The database keeps only this; the secret has 80 bits, so that a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _checked_csr(request: enrol.Request) -> x509.CertificateSigningRequest:
    if not BOX_ID.fullmatch(request.box_id):
        raise _bad("box_id", "letters, digits and hyphens, at most 64")
    if len(request.csr) > MOST_CSR:
        raise _bad("csr", f"at most {MOST_CSR} bytes")
    try:
        csr = x509.load_pem_x509_csr(request.csr.encode("ascii"))
        names = [str(name.value) for name in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        key = csr.public_key()
        signed = csr.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad("csr", f"no certificate request: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _bad("csr", "its key must be of the curve P-256")
    if not signed:
        raise _bad("csr", "its signature is not by its key")
    if names != [request.box_id]:
        raise _bad("csr", f"its common name must be the box_id {request.box_id}")
    return csr


def _bad(field: str, why: str) -> Fault:
    return Fault(FaultKind.INVALID, "enrol.request", f"{field}: {why}", hint="Is the box of another version?")
