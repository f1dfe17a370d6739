"""The desired state of one box as one document.

Every edit makes a new draft of the whole document; a published draft is a version. Diff and rollback are
operations on documents. References between parts are checked by `appliance_agent.config.check`.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from appliance_agent.config.lines import AnalogSet, E1Span, FxoPort, LineTrunk, LinkSet
from appliance_agent.config.part import Part
from appliance_agent.config.text import (
    DialledNumber,
    Digits,
    ExtensionNumber,
    Host,
    MenuDigit,
    Name,
    PromptId,
    Secret,
    Slug,
    SpokenText,
    TrunkSecret,
    TrunkUser,
)


class Codec(StrEnum):
    ALAW = "alaw"
    ULAW = "ulaw"
    G722 = "g722"
    OPUS = "opus"


class ExtensionKind(StrEnum):
    PHONE = "phone"
    """A SIP phone or softphone: registers over UDP or TCP with `secret`."""
    BROWSER = "browser"
    """The panel's own phone (WebRTC): gets a secret per session, none is stored here."""
    ANALOG = "analog"
    """A telephone set at an FXS port of the box, named in `analog`."""


class RecordPolicy(StrEnum):
    ALWAYS = "always"
    NEVER = "never"


class Extension(Part):
    number: ExtensionNumber
    name: Name
    kind: ExtensionKind = ExtensionKind.BROWSER
    secret: Secret | None = None
    """Phones only; made by the service when left out."""
    analog: AnalogSet | None = None
    """Analog sets only."""
    record: RecordPolicy = RecordPolicy.ALWAYS
    """For calls this extension makes. Calls from outside are recorded by their DID's policy."""


class Trunk(Part):
    """Over SIP. Trunks over telephone lines: `LineTrunk`."""

    id: Slug
    name: Name
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 5060
    username: TrunkUser | None = None
    secret: TrunkSecret | None = None
    register_with: bool = False
    """Register at the provider (needs username and secret). Otherwise the peer is known by its address."""
    codecs: tuple[Codec, ...] = (Codec.ALAW, Codec.ULAW)
    max_calls: Annotated[int, Field(ge=1, le=1000)] = 30


class OutboundRoute(Part):
    """Extensions reach the public network: <prefix><number> leaves by `trunk` without the prefix."""

    prefix: Digits
    trunk: Slug
    """A trunk over SIP or over lines."""


class MenuTarget(Part):
    kind: Literal["menu"] = "menu"
    menu: Slug


class QueueTarget(Part):
    kind: Literal["queue"] = "queue"
    queue: Slug


class ExtensionTarget(Part):
    kind: Literal["extension"] = "extension"
    extension: ExtensionNumber


class HangupTarget(Part):
    kind: Literal["hangup"] = "hangup"


Target = Annotated[MenuTarget | QueueTarget | ExtensionTarget | HangupTarget, Field(discriminator="kind")]


class Did(Part):
    number: DialledNumber
    name: Name
    target: Target
    record: RecordPolicy = RecordPolicy.ALWAYS


class Prompt(Part):
    """A sound in the box's prompt folder. Its audio is not part of the document; `id` names it for ever."""

    id: PromptId
    name: Name
    language: Literal["zh", "en"]
    source: Literal["upload", "speech"]
    text: SpokenText | None = None
    """What was spoken (source=speech)."""


class MenuOption(Part):
    digit: MenuDigit
    target: Target


class Menu(Part):
    id: Slug
    name: Name
    version: Annotated[int, Field(ge=1)] = 1
    """Raised by the service when the menu's content changes: calls in progress finish on their version."""
    prompts: Annotated[tuple[PromptId, ...], Field(min_length=1, max_length=8)]
    """Played one after the other (say, Chinese then English)."""
    invalid_prompt: PromptId | None = None
    options: Annotated[tuple[MenuOption, ...], Field(min_length=1, max_length=12)]
    wait_s: Annotated[int, Field(ge=1, le=30)] = 5
    repeats: Annotated[int, Field(ge=1, le=9)] = 3
    otherwise: Target = HangupTarget()
    """After the last repeat without a valid choice."""


class Strategy(StrEnum):
    RING_ALL = "ring_all"
    ROUND_ROBIN = "round_robin"
    LONGEST_IDLE = "longest_idle"


class Queue(Part):
    id: Slug
    name: Name
    strategy: Strategy = Strategy.LONGEST_IDLE
    seats: tuple[ExtensionNumber, ...] = ()
    """Extensions whose logged-in seats take this queue's calls."""
    ring_s: Annotated[int, Field(ge=5, le=120)] = 20
    """One offer rings this long, then goes to the next seat."""
    max_wait_s: Annotated[int, Field(ge=10, le=7200)] = 300
    wrap_up_s: Annotated[int, Field(ge=0, le=600)] = 10
    max_waiting: Annotated[int, Field(ge=0, le=1000)] = 0
    """0 = no limit."""
    music: PromptId | None = None
    """Own music on hold; None = the box's."""
    otherwise: Target = HangupTarget()
    """After max_wait_s, or when nobody is logged in."""
    service_level_s: Annotated[int, Field(ge=1, le=600)] = 20


class Peer(Part):
    """Another box: the link to it can be probed from here, and it may probe the link to us."""

    id: Slug
    name: Name
    host: Host | None = None
    """None: it has no address that we reach; it may still ask us."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 10998
    """Where it answers: its `Network.probe_port`."""
    secret: Secret | None = None
    """The same at both boxes, and no other pair's; made by the service when left out."""


class Network(Part):
    sip_port: Annotated[int, Field(ge=1024, le=65535)] = 5060
    rtp_first: Annotated[int, Field(ge=1024, le=65000)] = 10000
    rtp_last: Annotated[int, Field(ge=1024, le=65535)] = 10999
    announced_address: Host | None = None
    """The address phones outside reach us at (NAT); None = box.toml's `announce`, else the interface's own."""

    @property
    def probe_port(self) -> int:
        """Where peers' probes are answered: of the audio's last pair, so that a probe passes where calls pass, and is
        treated as they are. Asterisk takes another pair while it is taken."""
        return self.rtp_last & ~1


class Site(Part):
    name: Name = "SA800"
    timezone: str = "Asia/Shanghai"
    language: Literal["zh", "en"] = "zh"
    """Of Asterisk's own prompts."""


class Desired(Part):
    """The whole document."""

    schema_version: Literal[1] = 1
    site: Site = Site()
    network: Network = Network()
    extensions: tuple[Extension, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    e1_spans: tuple[E1Span, ...] = ()
    fxo_ports: tuple[FxoPort, ...] = ()
    linksets: tuple[LinkSet, ...] = ()
    line_trunks: tuple[LineTrunk, ...] = ()
    outbound: tuple[OutboundRoute, ...] = ()
    dids: tuple[Did, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    menus: tuple[Menu, ...] = ()
    queues: tuple[Queue, ...] = ()
    peers: tuple[Peer, ...] = ()

    def menu_names(self, path: Iterable[str]) -> dict[str, str]:
        """Id → name of the menus in a path of choices ("main:1"); of those that there are."""
        ids = {choice.partition(":")[0] for choice in path}
        return {menu.id: menu.name for menu in self.menus if menu.id in ids}
