"""Where things are on a box. One list, read by the agent, the front, the image and the lab."""

from dataclasses import dataclass
from pathlib import Path

RECORDING_SIDES = ("-in.sln", "-out.sln")
"""What follows the base name in the spool: what came from the recorded leg, and what went to it."""


@dataclass(frozen=True, slots=True)
class BoxPaths:
    """Absolute paths below `root`; tests give a temporary `root`, a box has "/"."""

    root: Path = Path("/")

    @property
    def identity(self) -> Path:
        """TOML: box_id, edition, listen addresses. Written by the factory or the lab, read-only on the box."""
        return self.root / "etc/sa800/box.toml"

    @property
    def data(self) -> Path:
        """The data partition; owned by user sa800. Upgrades never touch it."""
        return self.root / "var/lib/sa800"

    @property
    def database(self) -> Path:
        return self.data / "box.db"

    @property
    def secrets(self) -> Path:
        """JSON, mode 0600: AMI and ARI passwords, made once by `python3 -m appliance_agent.init`."""
        return self.data / "secrets.json"

    @property
    def asterisk_versions(self) -> Path:
        """One folder a rendered version: <data>/asterisk/versions/<n>/<file>."""
        return self.data / "asterisk/versions"

    @property
    def asterisk_current(self) -> Path:
        """Symlink to the version that runs; swapped by rename. Asterisk's astetcdir."""
        return self.data / "asterisk/current"

    @property
    def hangup(self) -> Path:
        """JSON of the version that runs: the FXO ports that appliance_agent.hangup listens to for busy tones."""
        return self.asterisk_current / "hangup.json"

    @property
    def headquarters(self) -> Path:
        """The box's key and certificate, HQ's authority, and how far this database was told (system.hq_link)."""
        return self.data / "headquarters"

    @property
    def prompts(self) -> Path:
        """<prompt id>.wav, 8 kHz mono 16 bit. Ids are ours: no user text in a file name."""
        return self.data / "prompts"

    @property
    def recordings(self) -> Path:
        """Finished recordings: <yyyy>/<mm>/<dd>/<call id>.wav, 8 kHz stereo 16 bit, left = caller, right = us."""
        return self.data / "recordings"

    @property
    def recording_spool(self) -> Path:
        """Asterisk writes <linkedid>-in.sln and -out.sln here (s16le mono 8 kHz, RECORDING_SIDES); the agent finishes
        the two into one file of `recordings`."""
        return self.root / "var/spool/asterisk/sa800"

    @property
    def journal(self) -> Path:
        """CEL rows, one JSON object a line; rotated files beside it are journal.<generation>.jsonl."""
        return self.root / "var/log/asterisk/cel-custom/journal.jsonl"

    @property
    def asterisk_log(self) -> Path:
        """Asterisk's notices, warnings and errors; apply looks there for what it refused."""
        return self.root / "var/log/asterisk/messages.log"

    @property
    def setup_link(self) -> Path:
        """The one-time token that makes the first administrator; removed once used."""
        return self.data / "setup-token"

    @property
    def line_names(self) -> Path:
        """What the telephone lines are called and which connector each name belongs to (hal.names_file)."""
        return self.data / "lines.json"

    @property
    def line_traces(self) -> Path:
        """<trace id>.txt: what a line's signalling said."""
        return self.data / "line-traces"

    @property
    def line_trace_log(self) -> Path:
        """Where Asterisk writes a line's signalling while somebody traces it."""
        return self.root / "var/log/asterisk/line-trace.log"

    @property
    def simulated_cards(self) -> Path:
        """Unix socket through which things happen to the cards of a simulated box (hal.sim.door); labs only."""
        return self.root / "run/sa800/cards.sock"

    @property
    def line_report(self) -> Path:
        """JSON: what came of bringing the lines up (hal.setup.report). Written by root before Asterisk starts."""
        return self.root / "run/sa800-lines/report.json"

    @property
    def agent_socket(self) -> Path:
        """Unix socket on which the agent serves HTTP to the front."""
        return self.root / "run/sa800/agent.sock"

    @property
    def panel(self) -> Path:
        return self.root / "usr/share/sa800/panel"
