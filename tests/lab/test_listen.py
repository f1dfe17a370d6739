"""`make run LISTEN=address`: what a branch's network reaches there, what it does not, and what is left of it."""

import hashlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box.office import host_address, phone_secrets
from tests.callers.audio import read_wav, tone_share
from tests.callers.client import Phones, phones
from tests.lab import records
from tests.lab.fixtures import leavings
from tests.lab.forward import RUNNING, ListenError, Ports, ports
from tests.lab.lab import CHECKOUT, Lab
from tests.lab.lan import Lan, inside, lan, udp

pytestmark = pytest.mark.lab

OUTSIDE, AT_HOME, BESIDE = "1011", "1012", "1013"
TONES_HZ = {OUTSIDE: 611.0, AT_HOME: 743.0, BESIDE: 853.0}
TALK_S = 4.0

OWNER = """
import signal, sys
from tests.lab.lab import Lab
with Lab(listen=sys.argv[1]).open(ready=False) as lab:
    print(lab.record.number, flush=True)
    signal.pause()
"""


@pytest.fixture(scope="module")
def branch(nothing_left: None) -> Iterator[Lan]:
    with lan(CHECKOUT) as made:
        yield made


@pytest.fixture(scope="module")
def listening(branch: Lan) -> Iterator[Lab]:
    with Lab(listen=branch.listen) as opened:
        yield opened
    assert branch.forwarding == "0", "this machine is no router, as before"


@pytest.fixture(scope="module")
def box_ports(listening: Lab) -> Ports:
    return ports(listening.box().path(RUNNING))


def connect(branch: Lan, lab: Lab) -> socket.socket:
    """From the branch's computer to the panel."""
    address = (branch.listen, lab.box().panel_port)
    return inside(branch.namespace, lambda: socket.create_connection(address, timeout=10))


def test_the_panel_is_https_with_the_certificate_that_was_printed(branch: Lan, listening: Lab) -> None:
    box = listening.box()
    trust = box.trust()
    assert trust is not None
    trust.check_hostname = True  # made here, so it names the address
    with trust.wrap_socket(connect(branch, listening), server_hostname=branch.listen) as secured:
        shown = secured.getpeercert(binary_form=True)
        assert shown is not None
        assert box.fingerprint().replace(":", "").lower() == hashlib.sha256(shown).hexdigest()
        secured.sendall(f"GET / HTTP/1.1\r\nHost: {branch.listen}\r\nConnection: close\r\n\r\n".encode())
        assert secured.makefile("rb").readline().startswith(b"HTTP/1.1 200")
    assert box.setup_url is not None
    assert box.setup_url.startswith(f"https://{branch.listen}:")
    key = box.path("/var/lib/sa800/tls/key.pem").stat()
    assert (key.st_mode & 0o777, key.st_uid) == (0o600, 800)


def test_nobody_answers_plain_http(branch: Lan, listening: Lab) -> None:
    with connect(branch, listening) as plain:
        plain.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: box\r\n\r\n")
        try:
            answer = plain.recv(1000)
        except ConnectionResetError:
            answer = b""
    assert b"HTTP/" not in answer
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listening.box().panel_port), timeout=10)


def test_only_sip_and_the_bounded_range_come_in(branch: Lan, listening: Lab, box_ports: Ports) -> None:
    box, first, last = listening.box(), box_ports.rtp_first, box_ports.rtp_last
    assert 0 < last - first < 2000
    home = box.plan.namespace
    closed = [udp(home, box.address, port) for port in (first - 1, last + 1)]
    opened = [udp(home, box.address, port) for port in (first, last)]
    caller = udp(branch.namespace, branch.client)
    for port in first - 1, last + 1:
        caller.connect((branch.listen, port))
        caller.send(b"knock")
        with pytest.raises(ConnectionRefusedError):
            caller.recv(100)
    direct = udp(branch.namespace, branch.client)
    for port in first - 1, first:
        direct.sendto(b"past the address", (box.address, port))
    for port, one in zip((first, last), opened, strict=True):
        visitor = udp(branch.namespace, branch.client)
        visitor.connect((branch.listen, port))
        visitor.send(b"audio")
        said, whence = one.recvfrom(100)
        assert (said, whence[0]) == (b"audio", branch.client)
        one.sendto(b"answer", whence)
        assert visitor.recv(100) == b"answer", "as if from the address that was asked"
        visitor.close()
    for one in *closed, *opened:  # what had been sent before would have come before
        one.setblocking(False)
        with pytest.raises(BlockingIOError):
            one.recv(100)
    for one in *closed, *opened, caller, direct:
        one.close()


def test_the_box_cannot_call_out_to_the_branch_from_other_ports(branch: Lan, listening: Lab, box_ports: Ports) -> None:
    box = listening.box()
    listener = udp(branch.namespace, branch.client)
    with udp(box.plan.namespace, box.address, box_ports.rtp_last + 1) as stray:
        stray.sendto(b"stray", listener.getsockname())
    with udp(box.plan.namespace, box.address, box_ports.rtp_last) as audio:
        audio.settimeout(10)
        audio.sendto(b"audio", listener.getsockname())
        assert listener.recvfrom(100) == (b"audio", (branch.listen, box_ports.rtp_last))
        listener.sendto(b"answer", (branch.listen, box_ports.rtp_last))
        assert audio.recvfrom(100) == (b"answer", listener.getsockname()), "whoever sends first, both hear"
    listener.close()


def told_address(invite: str) -> str:
    """Where an INVITE wants the audio sent."""
    found = re.search(r"(?m)^c=IN IP4 (\S+)", invite)
    assert found is not None
    return found[1]


async def call(caller: Phones, number: str, callee: Phones, other: str) -> str:
    """Both hear the other; returns the address that the callee was told."""
    since, heard = (caller.mark(), callee.mark()), {}
    await caller.send("call", ext=number, to=other)
    ringing = await callee.wait("ringing", ext=other, since=since[1])
    for who, ext, mark in (caller, number, since[0]), (callee, other, since[1]):
        heard[ext] = read_wav(Path((await who.wait("ended", ext=ext, since=mark))["wav"]))
    for ext, far in (number, other), (other, number):
        end = heard[ext].channels[0][-2 * heard[ext].rate :]
        assert tone_share(end, heard[ext].rate, TONES_HZ[far]) > 0.8, f"{ext} hears {far}"
    return told_address(ringing["message"])


async def test_phones_outside_at_home_and_on_this_machine_talk(branch: Lan, listening: Lab, tmp_path: Path) -> None:
    box, secrets = listening.box(), phone_secrets(listening.box())
    async with (
        phones(branch.client, enter=branch.enter) as away,
        phones(host_address(box)) as home,
        phones(branch.listen) as beside,
    ):
        for farm, ext, registrar in (
            (away, OUTSIDE, branch.listen), (home, AT_HOME, box.address), (beside, BESIDE, branch.listen)
        ):  # fmt: skip
            await farm.add(
                ext, domain=registrar, secret=secrets[ext], tone_hz=TONES_HZ[ext], talk_s=TALK_S,
                record_dir=str(tmp_path),
            )  # fmt: skip
        assert await call(home, AT_HOME, away, OUTSIDE) == branch.listen, "outside the announced address is told"
        assert await call(away, OUTSIDE, home, AT_HOME) == box.address, "at home the box's own"
        assert await call(away, OUTSIDE, beside, BESIDE) == branch.listen, "this machine is outside, too"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("0.0.0.0", "names no address that phones could be told; choose one of"),
        ("203.0.113.77", "is no address of this machine; choose one of"),
        ("branch.example", "is no IPv4 address; this machine has"),
    ],
)
def test_a_wrong_address_is_one_sentence(address: str, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.lab", "run", "--listen", address],
        capture_output=True, text=True, check=False, timeout=60, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"sa800-lab: LISTEN={address} {says}")
    assert done.stderr.count("\n") == 1


def test_an_interface_and_a_port_are_taken_once(branch: Lan, listening: Lab) -> None:
    with pytest.raises(ListenError, match=f"listens on {branch.link} already; end it first"):
        Lab(listen=branch.listen).open()
    with lan(CHECKOUT) as other:
        with (
            inside_here(other.listen, 10_500),
            pytest.raises(ListenError, match="another program has port 10500"),
        ):
            Lab(listen=other.listen).open(ready=False)
        with socket.create_server((other.listen, 0)) as taken:
            port = taken.getsockname()[1]
            command = [sys.executable, "-m", "tests.lab", "run", "--listen", other.listen, "--port", str(port)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=CHECKOUT)
        assert done.stderr.startswith(f"sa800-lab: LISTEN={other.listen}: port {port} is taken; choose another")
        assert other.forwarding == "0"


def inside_here(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, port))
    return made


def test_kept_data_moves_to_another_address(tmp_path: Path) -> None:
    shown = []
    with lan(CHECKOUT) as here, lan(CHECKOUT) as there:
        for address in here.listen, there.listen:
            with Lab(listen=address, data=tmp_path) as lab:
                shown.append(lab.box().fingerprint())
                assert f"= {address}," in (lab.box().path(RUNNING) / "rtp.conf").read_text()
    assert shown[0] == shown[1], "people know the certificate by now"


def test_what_a_killed_owner_forwarded_is_swept() -> None:
    before = leavings()
    with lan(CHECKOUT) as branch:
        environment = dict(os.environ, PYTHONPATH=str(CHECKOUT))
        command = [sys.executable, "-c", OWNER, branch.listen]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            number = int(process.stdout.readline())
            process.kill()
        assert leavings()["tables"] - before["tables"] == {f"sa8-{number}"}, "kill -9 leaves it"
        assert branch.forwarding == "1"
        records.remove(records.reserve(CHECKOUT))
        assert leavings()["tables"] == before["tables"]
        assert branch.forwarding == "0"
    assert leavings() == before
