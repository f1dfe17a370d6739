"""A simulated Asterisk for apply: it reads the rendered files when told to, and can be killed, deaf or picky."""

import asyncio
from collections.abc import Mapping

from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.render.apply_lines import promised_channels
from appliance_agent.render.apply_reloads import RELOADS
from appliance_agent.render.chan_dahdi import FILE
from appliance_agent.render.sections import sections
from contracts.paths import BoxPaths


def reads(name: str) -> bool:
    """Whether Asterisk itself keeps what the file says. The lines' file is read channel by channel."""
    return name.endswith(".conf") and "/" not in name and name != FILE


class SimAsterisk:
    """Satisfies render.control.AsteriskControl. What it has loaded changes by reloads and starts only."""

    def __init__(self, paths: BoxPaths) -> None:
        self._paths = paths
        self.loaded: dict[str, str] = {}
        self.commands: list[str] = []
        self.restarts = 0
        self.calls = 0
        self.calls_changed = asyncio.Event()
        self.skips: set[str] = set()
        """Names of sections that it logs about and skips, as Asterisk does with a bad object."""
        self.dislikes: set[str] = set()
        """Texts in lines that it only complains about in its log."""
        self.booting = False
        self.channels: dict[int, str] = {}
        """DAHDI channels that it serves → name of the channel on it, or ""."""
        self.refuses: set[int] = set()
        """DAHDI channels that it cannot open."""
        self._up = False
        self.start()

    # ── test verbs ─────────────────────────────────────────────────────────────────────────────────
    def start(self) -> None:
        self._up = True
        folder = self._paths.asterisk_current
        self.loaded = {file.name: file.read_text() for file in folder.glob("*.conf") if reads(file.name)}
        self.channels = {}
        self._create(1, 1024)

    def kill(self) -> None:
        self._up = False

    def boot(self) -> None:
        """It answers already and refuses what its unloaded modules would do."""
        self._up, self.booting = True, True

    def booted(self) -> None:
        self.booting = False
        self.start()

    # ── AsteriskControl ────────────────────────────────────────────────────────────────────────────
    async def command(self, cli: str) -> str:
        self._need_up()
        self.commands.append(cli)
        for name, reload in RELOADS.items():
            if reload == cli:
                self._complain(name)
                self.loaded[name] = (self._paths.asterisk_current / name).read_text()
        match cli.split():
            case ["dahdi", "destroy", "channels", first, last]:
                self._destroy(int(first), int(last))
            case ["pri", "destroy", "span", span]:
                self._destroy(int(span) * 32 - 31, int(span) * 32)
            case ["dahdi", "create", "channels", first, last]:
                self._create(int(first), int(last))
            case ["module", "unload", _]:
                raise Fault(FaultKind.CONFLICT, "asterisk.refused", "Asterisk refused Command: Command blacklisted")
        if cli == "moh show classes":
            return "".join(f"Class: {name}\n\tMode: files\n" for name in self._names("musiconhold.conf"))
        if cli == "pjsip show transports":
            return "".join(f"Transport:  {name}  udp 0 0 0.0.0.0:5060\n" for name in self._typed("transport"))
        if cli == "pjsip show identifies":
            return "".join(f" Identify:  {name}/{name}\n" for name in self._typed("identify"))
        return ""

    async def unload(self, module: str) -> None:
        self._need_up()
        self.commands.append(f"module unload {module}")
        self.channels = {}

    async def active_calls(self) -> int:
        self._need_up()
        return self.calls

    async def endpoints(self) -> set[str]:
        self._need_up()
        return self._typed("endpoint")

    async def queues(self) -> set[str]:
        self._need_up()
        return self._names("queues.conf") - {"general"}

    async def contexts(self) -> set[str]:
        self._need_up()
        return self._names("extensions.conf") - {"general"}

    async def line_channels(self) -> Mapping[int, str]:
        self._need_up()
        return dict(self.channels)

    async def hang_up(self, channel: str) -> None:
        self._need_up()
        self.commands.append(f"hang up {channel}")
        self.channels = {number: "" if name == channel else name for number, name in self.channels.items()}

    async def restart(self, *, limit_s: float) -> None:
        self._need_up()
        self.restarts += 1
        self.calls = 0
        self.start()

    def _destroy(self, first: int, last: int) -> None:
        gone = [number for number in self.channels if first <= number <= last]
        assert not any(self.channels[number] for number in gone), "Asterisk frees what somebody talks on, and dies"
        for number in gone:
            del self.channels[number]

    def _create(self, first: int, last: int) -> None:
        """Refused as a whole when one of them is there already."""
        if any(first <= number <= last for number in self.channels):
            return
        file = self._paths.asterisk_current / FILE
        for number in promised_channels({FILE: file.read_text()}) if file.exists() else ():
            if first <= number <= last and number not in self.refuses:
                self.channels[number] = ""
        self.channels = dict(sorted(self.channels.items()))

    def _complain(self, name: str) -> None:
        for number, line in enumerate((self._paths.asterisk_current / name).read_text().splitlines(), 1):
            if any(text in line for text in self.dislikes):
                self._paths.asterisk_log.parent.mkdir(parents=True, exist_ok=True)
                with self._paths.asterisk_log.open("a") as log:
                    log.write(f"[Nov 22 21:35:44] WARNING[70] pbx_config.c: Bad thing at line {number} of {name}\n")

    def _typed(self, kind: str) -> set[str]:
        return self._names("pjsip.conf", f"type={kind}")

    def _names(self, file: str, line: str = "") -> set[str]:
        found = sections(self.loaded.get(file, ""))
        return {section[0].strip("[]") for section in found if not line or line in section} - self.skips

    def _need_up(self) -> None:
        if not self._up:
            raise Fault(FaultKind.UNAVAILABLE, "asterisk.unavailable", "Asterisk is not there")
        if self.booting:
            raise Fault(FaultKind.CONFLICT, "asterisk.refused", "Invalid/unknown command")
