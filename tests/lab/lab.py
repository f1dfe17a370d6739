"""A lab: an emulated public exchange and boxes on one bridge. `with Lab() as lab: lab.exchange.call(...)`."""

import asyncio
import contextlib
import hashlib
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from types import FrameType, TracebackType

from hal.sim.door import ask
from tests.lab import exchange as exchange_module
from tests.lab import records
from tests.lab.box import LabError, Machine, Plan
from tests.lab.exchange import FIRST_BOX_HOST, MOST_BOXES, Exchange
from tests.lab.forward import LOOPBACK, RUNNING, Outside, outside, ports
from tests.lab.network import EXCHANGE_HOST, Loopback, Network
from tests.lab.panel import wait_for_panel
from tests.lab.permitted import Isolation, isolation

CHECKOUT = Path(__file__).resolve().parents[2]
BOX_UNITS = ("sa800-init", "asterisk", "sa800-agent", "sa800-front")
MOST_STARTS = 4


def image(what: str) -> Path:
    """The root file system (`root`) or our code's layer (`layer`); builds what is not in the cache."""
    command = [sys.executable, "-m", "image", what]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise LabError(f"the {what} could not be built (see above)")
    return Path(done.stdout.strip())


class Box(Machine):
    """A box of the product."""

    def __init__(self, plan: Plan, record: records.Record, listens: tuple[str, int]) -> None:
        super().__init__(plan, record)
        self.panel_host, self.panel_port = listens

    @property
    def https(self) -> bool:
        """As the front decides: off loopback only that."""
        return not IPv4Address(self.panel_host).is_loopback

    @property
    def panel_url(self) -> str:
        return f"{'https' if self.https else 'http'}://{self.panel_host}:{self.panel_port}"

    def trust(self) -> ssl.SSLContext | None:
        """For programs that open the panel's address: exactly the box's own certificate. None: plain HTTP.

        Kept data may have been made at another address, so the name in it is not looked at. Raises FileNotFoundError
        before the front made it."""
        if not self.https:
            return None
        context = ssl.create_default_context(cafile=str(self.path("/var/lib/sa800/tls/certificate.pem")))
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.check_hostname = False
        return context

    def fingerprint(self) -> str:
        """SHA-256 of the certificate that the panel shows, as browsers write it."""
        shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((self.panel_host, self.panel_port), timeout=10))
        return hashlib.sha256(shown).digest().hex(":").upper()

    @property
    def journal(self) -> Path:
        return self.path("/var/log/asterisk/cel-custom/journal.jsonl")

    @property
    def setup_token(self) -> str | None:
        """The one-time token that makes the first administrator; None once it was used."""
        with contextlib.suppress(FileNotFoundError):
            return self.path("/var/lib/sa800/setup-token").read_text().strip() or None
        return None

    @property
    def setup_url(self) -> str | None:
        token = self.setup_token
        return f"{self.panel_url}/setup#token={token}" if token else None

    def wait_ready(self, limit_s: float = 60.0) -> None:
        """Until every unit runs and the panel's API says that Asterisk is up. Raises LabError with the log."""
        for unit in self.plan.units:
            self.wait_unit(unit, limit_s)
        if "sa800-front" in self.plan.units:
            wait_for_panel(self.panel_url, self.trust, limit_s, self._agent_has_hope)

    def _agent_has_hope(self) -> None:
        """Raises LabError with the agent's log when it dies again and again."""
        if self.units()["sa800-agent"]["starts"] >= MOST_STARTS:
            log = self.log("sa800-agent")[-2000:]
            raise LabError(f"{self.name}: sa800-agent does not stay up; its log ends:\n{log}")

    def asterisk(self, command: str) -> str:
        """What Asterisk's console prints for a command."""
        config = "/var/lib/sa800/asterisk/current/asterisk.conf"
        return self.command("/usr/sbin/asterisk", "-C", config, "-rx", command)

    def happens(self, step: str) -> None:
        """Something happens to the box's simulated cards: "alarm 1 red" (hal.sim.words). Raises hal's errors."""
        asyncio.run(ask(self.path("/run/sa800/cards.sock"), step))


class Lab:
    """Everything it makes is recorded first, and gone after `close`. Several labs may run at once."""

    def __init__(
        self, boxes: int = 1, *, sample: bool = True, data: Path | None = None, port: int = 0,
        listen: str = LOOPBACK, cards: str = "", say: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        """`listen`, `port`: where box1's panel is; off loopback by HTTPS, and SIP and audio come in there too.
        `cards`: simulated telephone cards of each box, in the words of hal.sim.words."""
        if not 1 <= boxes <= MOST_BOXES:
            raise ValueError(f"boxes = {boxes}; from 1 to {MOST_BOXES}")
        self._listen = listen
        self._there: Outside | None = None
        self._count, self._sample, self._data, self._port, self._say = boxes, sample, data, port, say
        self._cards = cards
        self.boxes: list[Box] = []
        self.exchange: Exchange
        self.record: records.Record | None = None
        self._sockets: list[socket.socket] = []

    def open(self, *, ready: bool = True) -> "Lab":
        """Starts all; with `ready` returns when every box takes calls. On failure nothing is left."""
        try:
            self._open(ready)
        except BaseException:
            self.close()
            raise
        return self

    def _open(self, ready: bool) -> None:
        self._there = there = outside(self._listen)
        root, app = image("root"), image("layer")
        how = isolation()
        self.record = records.reserve(CHECKOUT)
        self.record.facts["isolation"] = how.value
        network: Network | Loopback = Network(self.record) if how is Isolation.NAMESPACES else Loopback()
        if isinstance(network, Loopback) and self._count > 1:
            raise LabError("namespaces are not permitted here: one box only")
        network.open()
        self._say(f"lab {self.record.number}: {network.name}")
        secret = secrets.token_hex(16)
        self.exchange = self._make_exchange(network, root, secret)
        for index in range(self._count):
            self.boxes.append(self._make_box(network, root, app, index))
        self.record.facts |= {
            "exchange": {"address": self.exchange.address, "secret": secret, "share": str(self.exchange.plan.share)},
            "boxes": {box.name: {"address": box.address, "panel": box.panel_url} for box in self.boxes},
        }
        machines: list[Machine] = [self.exchange, *self.boxes]
        with ThreadPoolExecutor(len(machines)) as pool:
            for _ in pool.map(lambda machine: machine.start(), machines):
                pass
        self.record.facts["outer_pids"] = {machine.name: machine.outer_pid for machine in machines}
        self.record.write()
        self.exchange.wait_unit("exchange")
        self.exchange.connect(secret)
        self._say(f"exchange {self.exchange.address} is up")
        if there is not None:
            self._let_in(network, there)
        for box in self.boxes if ready else ():
            self._say(f"{box.name} {box.address}: starting …")
            box.wait_ready()

    def _let_in(self, network: Network | Loopback, there: Outside) -> None:
        """From `there` to box1, by the ports of the version that it starts with."""
        box = self.boxes[0]
        box.wait_unit("sa800-init")
        to = ports(box.path(RUNNING))
        network.forward(there, box.address, to)
        self._say(f"{there.address} ({there.link}) takes SIP at {to.sip}, audio at UDP {to.rtp_first}-{to.rtp_last}")

    def _make_exchange(self, network: Network | Loopback, root: Path, secret: str) -> Exchange:
        assert self.record is not None
        namespace = network.plug("exchange", EXCHANGE_HOST)
        addresses = {"self": network.exchange}
        addresses |= {f"box{i + 1}": f"{network.address(FIRST_BOX_HOST + i)}:5060" for i in range(MOST_BOXES)}
        empty = self.record.folder / "empty"
        empty.mkdir(mode=0o755)
        plan = Plan(
            "exchange", namespace, network.address(EXCHANGE_HOST), root, empty, ("exchange",),
            files=exchange_module.files(network.exchange, addresses, network.host_address, secret),
            share=exchange_module.make_share(self.record.folder / "share"),
        )  # fmt: skip
        return Exchange(plan, self.record)

    def _make_box(self, network: Network | Loopback, root: Path, app: Path, index: int) -> Box:
        assert self.record is not None
        name, host = f"box{index + 1}", FIRST_BOX_HOST + index
        namespace = network.plug(name, host)
        listening = socket.create_server((self._listen, self._port) if index == 0 else (LOOPBACK, 0), backlog=128)
        self._sockets.append(listening)
        panel, port = listening.getsockname()
        lines = [
            f'box_id = "lab-{self.record.number}-{name}"', 'edition = "sa800"', f'listen = "{panel}:{port}"',
            f"sample = {str(self._sample).lower()}", f'exchange = "{network.exchange}"',
        ]  # fmt: skip
        if self._cards:
            lines.append(f'cards = "{self._cards}"')
        if index == 0 and self._there is not None:
            lines.append(f'announce = "{self._there.address}"')
        data = self._data / name if self._data is not None else None
        if data is not None:
            data.mkdir(mode=0o750, parents=True, exist_ok=True)
            subprocess.run(["chown", "800:800", str(data)], check=True, timeout=10)
        plan = Plan(
            name, namespace, network.address(host), root, app, BOX_UNITS,
            files={"etc/sa800/box.toml": "\n".join(lines) + "\n"}, data=data,
            listen={"sa800-front": listening.fileno()},
        )  # fmt: skip
        return Box(plan, self.record, (panel, port))

    def box(self, name: str = "box1") -> Box:
        for box in self.boxes:
            if box.name == name:
                return box
        raise LabError(f"no box {name}: there are {', '.join(box.name for box in self.boxes)}")

    def close(self) -> None:
        """Stops and removes all. Safe to call again, and after a half-done start."""
        if self.record is None:
            return
        record, self.record = self.record, None
        if hasattr(self, "exchange") and hasattr(self.exchange, "ami"):
            self.exchange.ami.close()
        machines: list[Machine] = [*self.boxes, *([self.exchange] if hasattr(self, "exchange") else [])]
        for machine in machines:
            machine.ask_to_stop()
        for machine in machines:
            machine.stop()
        for one in self._sockets:
            one.close()
        records.remove(record)

    def __enter__(self) -> "Lab":
        return self if self.record is not None else self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the program the way Ctrl-C does, so that labs are closed."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
