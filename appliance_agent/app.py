"""Composition root: the only place that knows everyone. Builds the parts, joins them, runs them in one task group."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from appliance_agent import VERSION
from appliance_agent.asterisk.control import Control
from appliance_agent.asterisk.line_calls import LineCalls
from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import Channel
from appliance_agent.asterisk.taps import Taps
from appliance_agent.calls.journal_file import JournalFiles
from appliance_agent.calls.journal_health import JournalHealth
from appliance_agent.calls.journal_store import JournalStore
from appliance_agent.calls.journal_tail import JournalTail
from appliance_agent.calls.line_joins import LineJoins
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.calls.webphone import WebPhones
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.alarms import api as alarms_api
from appliance_agent.features.callcontrol import api as callcontrol_api
from appliance_agent.features.callcontrol.service import CallControl
from appliance_agent.features.configuration.api import ConfigurationApi
from appliance_agent.features.configuration.service import Configuration
from appliance_agent.features.configuration.store import ConfigurationStore
from appliance_agent.features.lines.api import LinesApi
from appliance_agent.features.lines.service import Lines
from appliance_agent.features.linkprobe.api import LinkProbeApi
from appliance_agent.features.listen import api as listen_api
from appliance_agent.features.listen.service import Listening
from appliance_agent.features.live import api as live_api
from appliance_agent.features.live.service import LiveBoard
from appliance_agent.features.people.api import PeopleApi
from appliance_agent.features.people.audit import AuditTrail
from appliance_agent.features.people.sessions import Sessions
from appliance_agent.features.people.users import Users
from appliance_agent.features.prompts.api import PromptsApi
from appliance_agent.features.prompts.audio import Espeak, PromptAudio
from appliance_agent.features.prompts.service import Prompts
from appliance_agent.features.quality.api import QualityApi
from appliance_agent.features.quality.service import Quality
from appliance_agent.features.quality.store import QualityStore
from appliance_agent.features.records.api import RecordsApi
from appliance_agent.features.records.service import RecordingService
from appliance_agent.features.records.store import RecordStore, Viewer
from appliance_agent.features.reports.api import ReportsApi
from appliance_agent.features.reports.store import ReportStore
from appliance_agent.features.seats import api as seats_api
from appliance_agent.features.seats.service import Seats
from appliance_agent.features.seats.store import SeatStore
from appliance_agent.features.status.api import StatusApi
from appliance_agent.http.hub import EventsHub
from appliance_agent.http.route import Identity, Route
from appliance_agent.http.server import ApiServer, application
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.identity import BoxIdentity
from appliance_agent.kernel.secrets import BoxSecrets
from appliance_agent.kernel.service import Service, keep_running
from appliance_agent.store.database import Database
from appliance_agent.system.alarms import Alarms
from appliance_agent.system.health import Health
from appliance_agent.system.jitter_buffer import JitterBuffer
from appliance_agent.system.lines.blocks import Blocks
from appliance_agent.system.lines.cards import Cards
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.lines.hardware import SimulatedLines, hardware
from appliance_agent.system.lines.history import LineHistory
from appliance_agent.system.lines.repair import Repair
from appliance_agent.system.lines.reported import LineReports
from appliance_agent.system.lines.set_up import LinesSetUp
from appliance_agent.system.lines.trace import Traces
from appliance_agent.system.lines.watch import LineWatch
from appliance_agent.system.linetests.ports import Ports
from appliance_agent.system.linetests.service import LineTests
from appliance_agent.system.linkprobe.answering import Answering
from appliance_agent.system.linkprobe.service import LinkProbes
from contracts.journal import UserEvent
from contracts.paths import BoxPaths
from hal.boards import BOARDS
from hal.names_file import NamesFile
from hal.sim.box import SimBox

log = structlog.get_logger()

SIP_REALM = "asterisk"
"""PJSIP's default; a digest is made over it."""
STOP_LIMIT_S = 5.0


class Agent:
    """All parts of one box's agent. `run` ends when cancelled."""

    def __init__(self, paths: BoxPaths, identity: BoxIdentity, secrets: BoxSecrets) -> None:
        self.paths, self.identity = paths, identity
        self.bus, self.clock, self.config = Bus(), SystemClock(), ConfigHolder()
        self.database = Database(paths.database)
        self.alarms = Alarms(self.database, self.bus, self.clock)
        self._telephony()
        self._hardware()
        self._links()
        self._people()
        self._configuration(secrets)
        self._desk()
        self.hub = EventsHub(self.bus, self.clock, self.sessions, self.board.snapshot)
        self.server = ApiServer(
            application(self.routes(), self.sessions, self.hub, VERSION), self.hub, paths.agent_socket
        )

    def _telephony(self) -> None:
        seen = self.paths.data / "asterisk/last-start"
        self.link = Link(self.bus, secrets=self.paths.secrets, seen=seen)
        self.control = Control(self.link, self.bus)
        self.tail = JournalTail(
            JournalFiles(self.paths.journal), JournalStore(self.database, self.clock), self.bus, self.clock,
            self.control.channel_ids,
        )  # fmt: skip
        self.journal_health = JournalHealth(self.paths.journal, self.tail, self.alarms, self.control.channel_ids)
        self.live = LiveCalls(self.link, self.bus, self.clock, self.config, self._note_hold)
        self.phones = WebPhones(self.link.ari, self.database, self.bus)
        self.line_joins = LineJoins(self.link, self.bus, self.live)
        self.jitter_buffer = JitterBuffer(link=self.link, alarms=self.alarms, bus=self.bus)
        self.health = Health(link=self.link, alarms=self.alarms, config=self.config, bus=self.bus, data=self.paths.data)

    async def _note_hold(self, channel: Channel, on: bool) -> None:
        await self.tail.journal_note(
            UserEvent.HOLD, {"on": str(int(on))}, uniqueid=channel.uniqueid, linkedid=channel.linkedid
        )

    def _hardware(self) -> None:
        self.box = hardware(self.identity.cards)
        board = BOARDS[self.identity.edition.upper()]
        names = NamesFile(self.paths.line_names)
        self.cards = Cards(box=self.box, board=board, names=names, alarms=self.alarms, bus=self.bus)
        self.line_channels, self.line_history = Channels(self.link, self.bus), LineHistory(self.database, self.clock)
        self.line_watch = LineWatch(
            box=self.box, cards=self.cards, channels=self.line_channels, history=self.line_history, config=self.config,
            alarms=self.alarms, bus=self.bus, clock=self.clock, blocked=lambda: self.line_blocks.now,
            stuck=lambda: self.line_repair.now, testing=lambda: self.line_tests.now,
        )  # fmt: skip
        self.lines_set_up = LinesSetUp(self.box, board, NamesFile(self.paths.line_names), self.paths.line_report)
        self.line_reports = LineReports(self.paths.line_report, self.lines_set_up, self.bus)
        command = None if self.identity.cards else self.control.command
        self.line_blocks = Blocks(
            database=self.database, clock=self.clock, bus=self.bus, config=self.config, cards=self.cards,
            channels=self.line_channels, command=command,
        )  # fmt: skip
        self.line_repair = Repair(
            cards=self.cards, watch=self.line_watch, channels=self.line_channels, control=self.control, clock=self.clock
        )
        self.line_traces = Traces(
            database=self.database, clock=self.clock, bus=self.bus, cards=self.cards, watch=self.line_watch,
            command=command, written=self.paths.line_trace_log, kept=self.paths.line_traces,
        )  # fmt: skip
        ports = Ports(
            bus=self.bus, channels=self.line_channels, calls=LineCalls(self.link, self.bus), command=command,
            blocked=lambda: self.line_blocks.now,
        )  # fmt: skip
        self.line_tests = LineTests(
            database=self.database, clock=self.clock, bus=self.bus, box=self.box, cards=self.cards,
            watch=self.line_watch, ports=ports,
        )  # fmt: skip
        self.simulation = [
            SimulatedLines(box, self.paths.simulated_cards, found=self.cards, config=self.config, bus=self.bus)
            for box in (self.box,)
            if isinstance(box, SimBox)
        ]
        self.lines = Lines(
            box=self.box, cards=self.cards, watch=self.line_watch, channels=self.line_channels,
            history=self.line_history, live=self.live, clock=self.clock, blocks=self.line_blocks,
            traces=self.line_traces, tests=self.line_tests, simulated=bool(self.identity.cards),
        )  # fmt: skip

    def _links(self) -> None:
        self.link_probes = LinkProbes(
            database=self.database, clock=self.clock, bus=self.bus, config=self.config, calls=self._calls,
            answering=lambda: self.link_answers.now is not None,
        )  # fmt: skip
        self.link_answers = Answering(
            config=self.config, bus=self.bus, clock=self.clock, calls=self._calls, busy=lambda: self.link_probes.busy
        )

    def _calls(self) -> int:
        return len(self.live.state.calls)

    def _people(self) -> None:
        self.audit = AuditTrail(self.database, self.clock)
        self.sessions = Sessions(self.database, self.bus, self.clock, self.config, phones=self.phones, realm=SIP_REALM)
        self.users = Users(
            self.database, self.clock, self.config,
            all_sessions=self.sessions, audit=self.audit, setup_link=self.paths.setup_link,
        )  # fmt: skip

    def _configuration(self, secrets: BoxSecrets) -> None:
        self.prompt_audio = PromptAudio(self.paths.prompts, Espeak())
        self.configuration = Configuration(
            paths=self.paths, box_secrets=secrets, store=ConfigurationStore(self.database), control=self.control,
            holder=self.config, bus=self.bus, clock=self.clock, audit=self.audit,
            prompts_on_disk=self.prompt_audio.on_disk, announced=self.identity.announce,
            lines=self.lines_set_up,
        )  # fmt: skip
        self.prompts = Prompts(self.prompt_audio, self.configuration.add_prompt)

    def _desk(self) -> None:
        self.seats = Seats(
            store=SeatStore(self.database), ami=self.link.ami, live=self.live, config=self.config, bus=self.bus,
            clock=self.clock,
        )  # fmt: skip
        self.board = LiveBoard(
            database=self.database, live=self.live, config=self.config, bus=self.bus, clock=self.clock,
            seats=self.seats.all, alarms=self.alarms.open, lines=self.line_watch.live,
        )  # fmt: skip
        self.call_control = CallControl(
            link=self.link, live=self.live, config=self.config, bus=self.bus, clock=self.clock,
            journal_note=self.tail.journal_note,
        )  # fmt: skip
        self.listening = Listening(
            taps=Taps(self.link.ari, self.bus), live=self.live, bus=self.bus, clock=self.clock, audit=self.audit
        )
        self.record_store = RecordStore(self.database)
        self.recordings = RecordingService(self.paths, self.record_store, self.bus, self.clock, self.alarms.raise_)
        self.quality_store = QualityStore(self.database)
        self.quality = Quality(
            link=self.link, bus=self.bus, clock=self.clock, store=self.quality_store, alarms=self.alarms,
            config=self.config,
        )  # fmt: skip

    async def _find_record(self, call_id: str, who: Identity) -> Mapping[str, Any] | None:
        return await self.record_store.one(call_id, Viewer(who.user_id, who.role))

    def routes(self) -> list[Route]:
        status = StatusApi(
            self.identity, VERSION, self.config,
            setup_needed=self.users.setup_needed, asterisk_up=lambda: self.link.up is not None,
        )  # fmt: skip
        return [
            *status.routes(),
            *PeopleApi(self.users, self.sessions, self.audit).routes(),
            *ConfigurationApi(self.configuration).routes(),
            *PromptsApi(self.prompts, self.paths.data).routes(),
            *seats_api.routes(self.seats),
            *live_api.routes(self.board, self.clock),
            *callcontrol_api.routes(self.call_control),
            *listen_api.routes(self.listening),
            *RecordsApi(self.record_store, self.paths.recordings, self.config).routes(),
            *QualityApi(self.quality_store, self._find_record, self.config).routes(),
            *ReportsApi(ReportStore(self.database), self.config).routes(),
            *alarms_api.routes(self.alarms),
            *LinesApi(self.lines, self.audit).routes(),
            *LinkProbeApi(self.link_probes, self.link_answers, self.config, self._calls, self.audit).routes(),
        ]

    def services(self) -> Sequence[Service]:
        """Listeners first: what the link publishes when it connects must not be missed."""
        return (
            self.tail, self.journal_health, self.live, self.line_joins, self.phones, self.health,
            self.jitter_buffer, self.sessions, self.configuration, self.seats, self.board, self.listening,
            self.recordings, self.quality, self.hub, *self.simulation, self.line_watch, self.line_channels,
            self.line_blocks, self.line_repair, self.line_traces, self.line_tests, self.line_reports, self.cards,
            self.link_probes, self.link_answers, self.link, self.server,
        )  # fmt: skip

    async def run(self) -> None:
        """Until cancelled; then everything ends within STOP_LIMIT_S. Raises Fault when the box cannot be managed."""
        try:
            await asyncio.to_thread(_remove_leftovers, self.paths)
            await self.configuration.load()
            async with asyncio.TaskGroup() as tasks:
                for service in self.services():
                    tasks.create_task(keep_running(service), name=service.name)
                tasks.create_task(self._say_ready(), name="ready")
        finally:
            await asyncio.shield(asyncio.wait_for(self.database.close(), STOP_LIMIT_S))

    async def _say_ready(self) -> None:
        await self.server.listening.wait()
        log.info("READY", box=self.identity.box_id, version=VERSION, config=self.config.version)


def _remove_leftovers(paths: BoxPaths) -> None:
    """What a killed agent was receiving is of no use to anybody."""
    for folder in (*paths.data.glob("upload-*"), *paths.prompts.glob("convert-*"), *paths.prompts.glob("speech-*")):
        shutil.rmtree(folder, ignore_errors=True)
