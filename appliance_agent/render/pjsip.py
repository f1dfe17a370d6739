"""pjsip.conf and sorcery.conf: transports, extensions, trunks."""

from ipaddress import IPv4Address

from appliance_agent.config.model import Desired, Extension, ExtensionKind, Trunk
from appliance_agent.render.conf import Conf, Value
from appliance_agent.render.door import word
from appliance_agent.render.facts import Facts

PHONE_CODECS = "!all,alaw,ulaw,g722"
BROWSER_CODECS = "!all,alaw,ulaw,opus"
"""G.711 first: the public network speaks it, so nothing is transcoded, which is what 200 calls on two cores need. Opus
remains for a page that offers nothing else."""
QUALIFY_S = 10
"""Phones and trunks that fell silent are noticed this fast; a call to them then fails at once."""


def trunk_endpoint(trunk: str) -> str:
    return f"trunk-{word(trunk)}"


def session_auth(extension: str) -> str:
    """Name of the auth object that the agent makes for a browser session (ARI push configuration)."""
    return f"{word(extension)}-session"


def render_pjsip(desired: Desired, facts: Facts) -> str:
    conf = Conf("SIP.")
    # No `anonymous`: whoever is not an extension and not a trunk's address is challenged and refused.
    conf.section("global", type="global", user_agent="SA800", endpoint_identifier_order="ip,username")
    _transports(conf, desired, facts)
    for extension in desired.extensions:
        if extension.kind is not ExtensionKind.ANALOG:
            _extension(conf, desired, extension)
    for trunk in desired.trunks:
        _trunk(conf, desired, trunk)
    return str(conf)


def render_sorcery() -> str:
    """auth objects come from pjsip.conf (phones) and from Asterisk's own database (browser sessions, by ARI)."""
    mapping = (("auth", "config,pjsip.conf,criteria=type=auth"), ("auth", "astdb,ps_auths"))
    return str(Conf("Where PJSIP keeps its objects.").section("res_pjsip", *mapping))


def _transports(conf: Conf, desired: Desired, facts: Facts) -> None:
    network = desired.network
    bind = f"0.0.0.0:{network.sip_port}"
    announced = _announced(facts.announced_address(network), desired.trunks, facts)
    conf.section("transport-udp", *announced, type="transport", protocol="udp", bind=bind)
    conf.section("transport-tcp", *announced, type="transport", protocol="tcp", bind=bind)


def _announced(announced: str | None, trunks: tuple[Trunk, ...], facts: Facts) -> list[tuple[str, Value]]:
    """Behind NAT those outside are told the announced address: not this machine, not our own networks, and no trunk
    with a private address."""
    if announced is None:
        return []
    address = word(announced)
    inside = ["127.0.0.0/8", *dict.fromkeys(str(own.network) for own in facts.addresses)]
    inside += [f"{trunk.host}/32" for trunk in trunks if _is_private(trunk.host)]
    return [
        ("external_signaling_address", address),
        ("external_media_address", address),
        *(("local_net", net) for net in inside),
    ]


def _is_private(host: str) -> bool:
    try:
        return IPv4Address(host).is_private
    except ValueError:
        return False


def _extension(conf: Conf, desired: Desired, extension: Extension) -> None:
    number = word(extension.number)
    browser = extension.kind is ExtensionKind.BROWSER
    auth = session_auth(number) if browser else number
    media = _browser_media() if browser else _phone_media()
    conf.section(
        number,
        ("set_var", f"SA_EXT={number}"),
        ("set_var", "TRANSFER_CONTEXT=transfer"),
        *media,
        type="endpoint",
        context="internal",
        aors=number,
        auth=auth,
        identify_by="username",
        callerid=f"<{number}>",
        language=desired.site.language,
        tone_zone="cn",
        device_state_busy_at=1,
        direct_media=False,
        rewrite_contact=True,
        trust_id_outbound=True,
        send_pai=True,
        allow_subscribe=False,
    )
    conf.section(number, type="aor", max_contacts=1, remove_existing=True, qualify_frequency=QUALIFY_S)
    if not browser and extension.secret is not None:
        conf.section(number, type="auth", auth_type="userpass", username=number, password=word(extension.secret))


def _phone_media() -> list[tuple[str, Value]]:
    return [("allow", PHONE_CODECS), ("dtmf_mode", "auto"), ("rtp_symmetric", True), ("force_rport", True)]


def _browser_media() -> list[tuple[str, Value]]:
    """webrtc=yes: ICE, DTLS-SRTP with a certificate made at start, AVPF, rtcp-mux. A page that was closed sends no
    audio any more: its call ends after rtp_timeout, so that no caller talks to nobody."""
    ours_first = "prefer:configured,operation:intersect,keep:first"
    return [
        ("allow", BROWSER_CODECS),
        ("codec_prefs_incoming_offer", ours_first),
        ("webrtc", True),
        ("rtp_timeout", 30),
    ]


def _trunk(conf: Conf, desired: Desired, trunk: Trunk) -> None:
    name = trunk_endpoint(trunk.id)
    host = f"{word(trunk.host)}:{trunk.port}"
    account: list[tuple[str, Value]] = []
    if trunk.username is not None:
        account.append(("from_user", trunk.username))
        account.append(("from_domain", word(trunk.host)))
    if trunk.username is not None and trunk.secret is not None:
        account.append(("outbound_auth", name))
    conf.section(
        name,
        ("set_var", f"SA_TRUNK={word(trunk.id)}"),
        *account,
        type="endpoint",
        context=f"from-trunk-{word(trunk.id)}",
        aors=name,
        identify_by="ip",
        allow=f"!all,{','.join(codec.value for codec in trunk.codecs)}",
        language=desired.site.language,
        tone_zone="cn",
        dtmf_mode="auto",
        direct_media=False,
        rtp_symmetric=True,
        force_rport=True,
        # A peer outside may neither send callers elsewhere nor see who is logged in.
        allow_transfer=False,
        allow_subscribe=False,
    )
    conf.section(name, type="aor", contact=f"sip:{host}", qualify_frequency=QUALIFY_S)
    conf.section(name, type="identify", endpoint=name, match=word(trunk.host))
    if trunk.username is None or trunk.secret is None:
        return
    conf.section(name, type="auth", auth_type="userpass", username=trunk.username, password=trunk.secret)
    if trunk.register_with:
        conf.section(
            name,
            type="registration",
            outbound_auth=name,
            server_uri=f"sip:{host}",
            client_uri=f"sip:{trunk.username}@{host}",
            contact_user=trunk.username,
            endpoint=name,
            line=True,
            expiration=300,
            retry_interval=20,
            forbidden_retry_interval=120,
            max_retries=1000000,
            auth_rejection_permanent=False,
        )
