"""Files that say the same on every box, but for paths and the RTP range."""

from ipaddress import IPv4Address

from appliance_agent.config.model import Desired
from appliance_agent.render.conf import Conf
from appliance_agent.render.door import path
from appliance_agent.render.facts import Facts
from contracts.paths import BoxPaths


def render_asterisk(paths: BoxPaths) -> str:
    """Directories that are not named stay Debian's (modules, sounds, astdb)."""
    conf = Conf("Asterisk itself.").section(
        "directories",
        astetcdir=path(paths.asterisk_current),
        astrundir=path(paths.root / "run/asterisk"),
        astlogdir=path(paths.root / "var/log/asterisk"),
        astspooldir=path(paths.root / "var/spool/asterisk"),
    )
    return str(
        conf.section(
            "options",
            execincludes=False,
            live_dangerously=False,
            hideconnect=True,
            nocolor=True,
            documentation_language="en_US",
            # Silence while a caller waits for a digit: NAT stays open, and both sides of a recording keep time.
            transmit_silence=True,
        )
    )


def render_logger() -> str:
    conf = Conf("Logs: what went wrong, and the queue log. No verbose: it would fill the disk.")
    # Milliseconds: traces of signalling are read for who was first.
    conf.section(
        "general",
        ("dateformat", "%F %T.%3q"),
        ("queue_log", True),
        ("queue_log_to_file", True),
        ("appendhostname", False),
    )
    return str(conf.section("logfiles", ("messages.log", "notice,warning,error"), ("console", "notice,warning,error")))


def render_rtp(desired: Desired, facts: Facts) -> str:
    """Behind NAT browsers are offered the announced address beside our own (ICE); phones are told it in SDP."""
    network = desired.network
    conf = Conf("Audio.").section(
        "general", rtpstart=network.rtp_first, rtpend=network.rtp_last, strictrtp=True, icesupport=True
    )
    announced = facts.announced_address(network)
    if announced is not None and _is_address(announced):
        offer = f"{announced},include_local_address"
        conf.section("ice_host_candidates", *((str(address.ip), offer) for address in facts.addresses))
    return str(conf)


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def render_cdr() -> str:
    return str(Conf("Call records come from the journal, not from here.").section("general", enable=False))


def render_indications() -> str:
    """Tones of GF 002 (China): 450 Hz."""
    conf = Conf("Tones.").section("general", country="cn")
    return str(
        conf.section(
            "cn",
            description="China",
            ringcadence="1000,4000",
            dial="450",
            busy="450/350,0/350",
            ring="450/1000,0/4000",
            congestion="450/700,0/700",
            callwaiting="450/400,0/4000",
            dialrecall="450",
            record="950/400,0/10000",
            info="450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400",
            stutter="450+425",
        )
    )


EMPTY_FILES = {
    "acl.conf": "No named access lists.",
    "ccss.conf": "No call completion.",
    "features.conf": "No DTMF sequence does anything in a call. Transfers are SIP REFER.",
    "pjproject.conf": "PJSIP library at its defaults.",
    "pjsip_notify.conf": "No NOTIFY of a fixed kind. The agent asks phones to hold or resume.",
    "queuerules.conf": "No penalty rules.",
    "stasis.conf": "Message bus at its defaults.",
    "udptl.conf": "No fax over IP.",
    "websocket_client.conf": "Asterisk opens no WebSocket by itself.",
}
"""Files that Asterisk looks for and warns about when they are missing."""

SECTIONLESS = frozenset({"acl.conf", "pjsip_notify.conf", "stasis.conf", "websocket_client.conf"})
"""Here even an empty [general] is an error."""


def render_empty() -> dict[str, str]:
    files = {name: Conf(about) for name, about in EMPTY_FILES.items()}
    for name in files.keys() - SECTIONLESS:
        files[name].section("general")
    return {name: str(conf) for name, conf in files.items()}
