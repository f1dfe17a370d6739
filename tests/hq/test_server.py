"""Headquarters' server over real TLS, with the box's own programs at the other end: who gets in, and who does not."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance_agent.kernel.errors import Fault
from appliance_agent.system.hq_link import identity
from appliance_agent.system.hq_link.answers import Away, ask, session
from appliance_agent.system.hq_link.enrolment import Self, enrol_box
from contracts import enrol, live, sync
from contracts.sync import Batch, pack
from hq.authority import files
from hq.boxes import server
from hq.serve import Headquarters, served
from hq.store.database import Database
from tests.hq import told
from tests.hq.told import NOVEMBER, ONE, ClockOf, batch, call, held, record, rows

HOUR_US, YEAR_US = 3600 * 1_000_000, 365 * 86_400_000_000
Answer = tuple[int, dict[str, Any]]


@dataclass
class Place:
    headquarters: Headquarters
    database: Database
    clock: ClockOf
    folder: Path
    authority: files.Folder

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.headquarters.port}"

    async def code(self, branch: str = "Harbour") -> str:
        return (await self.headquarters.enrolment.new_code(branch, "chief", "10.0.0.1")).text

    async def join(self, box: str = "box-1", code: str = "") -> Path:
        """The box's folder with its key and certificate."""
        folder = self.folder / box
        await enrol_box(folder, self.address, code or await self.code(), Self(box, "sa800", "SN1"))
        return folder

    async def refusals(self) -> list[str]:
        """Reasons in the audit, oldest first."""
        found = await rows(self.database, "SELECT detail FROM audit WHERE action LIKE ? ORDER BY id", "refused.%")
        return [json.loads(detail)["reason"] for (detail,) in found]

    async def ask(self, context: ssl.SSLContext, method: str, path: str, **what: Any) -> Answer:
        connector = aiohttp.TCPConnector(ssl=context)
        async with (
            aiohttp.ClientSession(connector=connector, trust_env=False) as http,
            http.request(method, f"https://{self.address}{path}", **what) as response,
        ):
            return response.status, await response.json()

    async def send(self, context: ssl.SSLContext, what: Batch | bytes) -> Answer:
        return await self.ask(context, "POST", sync.BATCH_PATH, data=what if isinstance(what, bytes) else pack(what))


@asynccontextmanager
async def place_at(database: Database, folder: Path) -> AsyncIterator[Place]:
    clock, authority = ClockOf(), files.Folder(folder / "authority")
    await asyncio.to_thread(files.make, authority, ["127.0.0.1"], NOVEMBER)
    async with served(database=database, folder=authority, clock=clock, host="127.0.0.1", port=0) as headquarters:
        yield Place(headquarters, database, clock, folder, authority)


@pytest.fixture
async def place(database: Database, tmp_path: Path) -> AsyncIterator[Place]:
    async with place_at(database, tmp_path) as made:
        yield made


def reason(answer: Answer) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["key"]


async def test_a_code_is_good_for_one_box(place: Place) -> None:
    code = await place.code("Harbour")
    folder = await place.join("box-1", code)
    with pytest.raises(Fault, match="was used"):
        await place.join("box-2", code)
    assert not (place.folder / "box-2" / "key.pem").exists()
    assert await rows(place.database, "SELECT id, name FROM box") == [("box-1", "Harbour")]
    done = await rows(place.database, "SELECT who, action FROM audit ORDER BY id")
    assert done == [("chief", "enrol.code"), ("box-1", "enrol.done"), ("", "refused.enrol")]
    assert await place.refusals() == ["enrol.code"]
    assert await place.ask(identity.mutual(folder), "GET", sync.MARK_PATH, params={"epoch": ONE}) == (
        200, {"epoch": ONE, "seq": 0},
    )  # fmt: skip


async def test_a_code_is_good_for_an_hour(place: Place) -> None:
    late, just = await place.code(), await place.code()
    place.clock.us += HOUR_US - 1
    await place.join("box-1", just)
    place.clock.us += 1
    with pytest.raises(Fault, match="older than an hour"):
        await place.join("box-2", late)


async def test_the_box_says_its_secret_to_nobody_but_the_headquarters_of_its_code(place: Place) -> None:
    code = enrol.parse(await place.code())
    pin = code.pin[:-1] + ("0" if code.pin[-1] != "0" else "1")
    with pytest.raises(Fault, match="not the headquarters of this code"):
        await place.join("box-1", enrol.show(enrol.Code(code.secret, pin)))
    assert await rows(place.database, "SELECT used_us FROM enrol_code") == [(None,)]
    await place.join("box-1", enrol.show(code))


async def test_guessing_is_slowed_down(place: Place) -> None:
    body = {"secret": "0" * 16, "box_id": "box-1", "csr": csr("box-1"), "edition": "", "hardware": ""}
    context = identity.vouched(place.authority.authority.read_text())
    for _ in range(12):  # boxes that join do not count
        good = body | {"secret": enrol.parse(await place.code()).secret}
        assert (await place.ask(context, "POST", enrol.ENROL_PATH, json=good))[0] == 200
    answers = [reason(await place.ask(context, "POST", enrol.ENROL_PATH, json=body)) for _ in range(11)]
    assert answers == [(403, "enrol.code")] * 10 + [(429, "enrol.too_many")]


def csr(name: str, curve: ec.EllipticCurve | None = None) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key = ec.generate_private_key(curve or ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"box_id": "../box"}, "box_id"), ({"csr": "x" * 9000}, "csr"), ({"csr": "no request"}, "csr"),
        ({"csr": csr("box-2")}, "common name"), ({"csr": csr("box-1", ec.SECP384R1())}, "P-256"),
        ({"secret": 5}, "texts"),
    ],
)  # fmt: skip
async def test_a_request_that_is_no_good_uses_no_code(place: Place, change: dict[str, Any], said: str) -> None:
    secret = enrol.parse(await place.code()).secret
    body = {"secret": secret, "box_id": "box-1", "csr": csr("box-1"), "edition": "", "hardware": ""}
    context = identity.vouched(place.authority.authority.read_text())
    status, answer = await place.ask(context, "POST", enrol.ENROL_PATH, json=body | change)
    assert (status, answer["error"]["key"]) == (422, "enrol.request")
    assert said in answer["error"]["message"]
    assert (await place.ask(context, "POST", enrol.ENROL_PATH, json=body))[0] == 200


async def test_what_a_box_tells_is_counted_once_however_often_it_comes(place: Place) -> None:
    context = identity.mutual(await place.join())
    first, gap = batch(1, call(record("1.1"))), batch(3, call(record("1.3")))
    assert [await place.send(context, first) for _ in range(2)] == [(200, {"epoch": ONE, "seq": 1})] * 2
    assert await place.send(context, gap) == (409, {"epoch": ONE, "seq": 1})
    assert set(await held(place.database)) == {"1.1"}


async def nobody(place: Place) -> ssl.SSLContext:
    return identity.vouched(place.authority.authority.read_text())


async def revoked(place: Place) -> ssl.SSLContext:
    context = identity.mutual(await place.join())
    await place.headquarters.enrolment.revoke("box-1", "chief", "10.0.0.1")
    return context


async def expired(place: Place) -> ssl.SSLContext:
    context = identity.mutual(await place.join())
    place.clock.us += 2 * YEAR_US
    return context


async def replaced(place: Place) -> ssl.SSLContext:
    """The same box joined again since: one who copied its older key is out."""
    context = identity.mutual(await place.join())
    await place.join()
    return context


async def unknown(place: Place) -> ssl.SSLContext:
    """Our authority's, but not in our database: one that was made with a stolen copy of the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box-1")])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
    made = files.for_box(place.authority, request, "box-1", serial=4711, from_us=NOVEMBER, until_us=NOVEMBER + YEAR_US)
    return with_key(place, key, made)


def with_key(place: Place, key: ec.EllipticCurvePrivateKey, certificate: bytes) -> ssl.SSLContext:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    folder = place.folder / "other"
    folder.mkdir()
    identity.keep(folder, pem, certificate.decode(), place.authority.authority.read_text())
    return identity.mutual(folder)


async def other(place: Place) -> ssl.SSLContext:
    await place.join("box-1")
    return identity.mutual(await place.join("box-2"))


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (nobody, (401, "certificate.none")), (unknown, (403, "certificate.unknown")),
        (revoked, (403, "certificate.revoked")), (expired, (403, "certificate.expired")),
        (replaced, (403, "certificate.revoked")), (other, (403, "box.other")),
    ],
)  # fmt: skip
async def test_who_is_not_this_box_is_refused_and_told_why(
    place: Place, who: Callable[[Place], Any], expected: tuple[int, str]
) -> None:
    context = await who(place)
    assert reason(await place.send(context, batch(1, call(record("1.1"))))) == expected
    if expected[1] != "box.other":
        assert reason(await place.ask(context, "GET", sync.MARK_PATH, params={"epoch": ONE})) == expected
        assert reason(await place.ask(context, "GET", live.LIVE_PATH)) == expected
    assert await held(place.database) == {}
    assert set(await place.refusals()) == {expected[1]}


async def test_a_certificate_of_another_authority_does_not_get_to_speak(place: Place) -> None:
    foreign = files.Folder(place.folder / "foreign")
    await asyncio.to_thread(files.make, foreign, ["127.0.0.1"], NOVEMBER)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box-1")])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
    made = files.for_box(foreign, request, "box-1", serial=1, from_us=NOVEMBER, until_us=NOVEMBER + YEAR_US)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await place.send(with_key(place, key, made), batch(1, call(record("1.1"))))
    assert await held(place.database) == {}


async def test_a_forged_batch_is_refused(place: Place) -> None:
    context = identity.mutual(await place.join())
    good = pack(batch(1, call(record("1.1"))))
    epochs = ("", "\0" * 32, "A" * 32, "1" * 33)
    for forged in (
        *(pack(batch(1, call(record("1.1")), epoch=epoch)) for epoch in epochs),
        good[:-3],
        good + b"x",
        b"",
        b"\0" * 50,
        good[:20] + b"zzzz" + good[24:],
    ):
        assert reason(await place.send(context, forged)) == (422, "batch.bad")
    assert (await place.send(context, b"\0" * (sync.MOST_PACKED + 1)))[0] == 413
    assert await held(place.database) == {}
    assert set(await place.refusals()) == {"batch.bad"}


async def test_who_sees_much_nonsense_writes_little_down(place: Place) -> None:
    context = await nobody(place)
    for _ in range(70):
        assert (await place.send(context, b""))[0] == 401
    assert len(await place.refusals()) == 60


async def test_an_old_disk_that_comes_back_is_refused(place: Place) -> None:
    context = identity.mutual(await place.join())
    await place.send(context, batch(1, call(record("1.1"))))
    await place.send(context, batch(1, call(record("2.1")), epoch=told.TWO))
    assert reason(await place.send(context, batch(2, call(record("1.2"))))) == (409, "epoch.closed")
    assert set(await held(place.database)) == {"1.1", "2.1"}
    async with session(context) as http:
        with pytest.raises(Away, match="newer epoch"):  # and not a mark
            await ask(
                http, "POST", f"https://{place.address}{sync.BATCH_PATH}", data=pack(batch(2, call(record("1.2"))))
            )
    assert set(await place.refusals()) == {"epoch.closed"}


async def test_a_body_that_does_not_come_holds_nobody_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "READ_S", 0.05)
    context = identity.mutual(await place.join())
    ended = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        yield b"x"
        await ended.wait()

    connector = aiohttp.TCPConnector(ssl=context)
    url = f"https://{place.address}{sync.BATCH_PATH}"
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as http:
        one, other, third = [asyncio.create_task(_status(http, url, trickle())) for _ in range(3)]
        assert sorted(await asyncio.gather(one, other, third)) == ["batch.busy", "body.late", "body.late"]
    ended.set()
    monkeypatch.setattr(server, "READ_S", 60.0)
    assert (await place.send(context, batch(1, call(record("1.1")))))[0] == 200


async def _status(http: aiohttp.ClientSession, url: str, body: AsyncIterator[bytes]) -> str:
    async with http.post(url, data=body) as response:
        answer = await response.json()
        return str(answer["error"]["key"])
