"""Joins headquarters: code → pin compared → key and request made on the box → certificate. The key never leaves it."""

import asyncio
import shutil
import ssl
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.process import run_program
from appliance_agent.system.hq_link import identity
from appliance_agent.system.hq_link.answers import Away, Behind, ask, fetch, parse_address, session
from contracts import enrol

MAKE_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Joined:
    address: str
    branch: str


@dataclass(frozen=True, slots=True)
class Self:
    """What the box says of itself."""

    box_id: str
    edition: str
    hardware: str


async def enrol_box(folder: Path, address: str, code: str, box: Self) -> Joined:
    """Raises Fault; what was in `folder` is untouched then. The code is used up once HQ has answered."""
    try:
        address, parsed = parse_address(address), enrol.parse(code)
    except ValueError as error:
        raise Fault(FaultKind.INVALID, "hq.code", str(error), hint="Ask HQ's operator for address and code.") from error
    await asyncio.to_thread(folder.mkdir, mode=0o700, exist_ok=True)
    trial = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="join-", dir=folder))
    try:
        authority = await _authority(address, parsed.pin)
        csr = await _request(trial, box.box_id)
        answer = await _sign(
            address, authority, enrol.Request(parsed.secret, box.box_id, csr, box.edition, box.hardware)
        )
        key = await asyncio.to_thread((trial / "key.pem").read_bytes)
        await asyncio.to_thread(identity.keep, trial, key, answer.certificate, authority)
        await asyncio.to_thread(identity.mutual, trial)  # raises when the certificate is not of this key
        await asyncio.to_thread(identity.keep, folder, key, answer.certificate, authority)
    except (Away, Behind) as error:
        raise Fault(
            FaultKind.UNAVAILABLE, "hq.enrol", f"{address}: {error}",
            hint="Check the address; a code is good for one box and one hour.",
        ) from error  # fmt: skip
    finally:
        await asyncio.to_thread(shutil.rmtree, trial, ignore_errors=True)
    return Joined(address, answer.branch[:64])


async def _authority(address: str, pin: str) -> str:
    async with session(identity.anybody()) as http:
        status, body = await fetch(http, "GET", f"https://{address}{enrol.AUTHORITY_PATH}")
    try:
        pem = body.decode("ascii")
        found = enrol.pin_of(ssl.PEM_cert_to_DER_cert(pem)) if status == 200 else ""
    except ValueError:
        found = ""
    if found != pin:
        raise Fault(
            FaultKind.DENIED, "hq.pin", f"who answers at {address} is not the headquarters of this code",
            hint="Compare the code; if it is right, somebody stands between this box and headquarters.",
        )  # fmt: skip
    return pem


async def _request(trial: Path, box_id: str) -> str:
    """By the openssl program, as the front's certificate is made: the box needs no library for one request."""
    command = [
        "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-subj", f"/CN={box_id}", "-keyout", "key.pem", "-out", "csr.pem",
    ]  # fmt: skip
    try:
        made = await run_program(command, folder=trial, limit_s=MAKE_LIMIT_S)
    except (OSError, TimeoutError) as error:
        raise Fault(FaultKind.INTERNAL, "hq.key", f"no key could be made: {error!r}") from error
    if made.status:
        raise Fault(FaultKind.INTERNAL, "hq.key", f"no key could be made: {made.errors[-300:]}")
    return await asyncio.to_thread((trial / "csr.pem").read_text, "ascii")


async def _sign(address: str, authority: str, request: enrol.Request) -> enrol.Answer:
    async with session(identity.vouched(authority)) as http:
        answer = await ask(http, "POST", f"https://{address}{enrol.ENROL_PATH}", json=asdict(request))
    try:
        answer = {name: answer[name] for name in ("certificate", "authority", "branch")}
    except KeyError as error:
        raise Away("garbage", f"HQ's answer has no {error}") from error
    if not all(isinstance(text, str) for text in answer.values()):
        raise Away("garbage", "HQ's answer is not made of texts")
    return enrol.Answer(**answer)
