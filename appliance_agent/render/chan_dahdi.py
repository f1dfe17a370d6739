"""chan_dahdi.conf: one section for each line, so that a change of one line touches only its own.

Each section starts from Asterisk's defaults and [channels]. Which trunk a line belongs to stands in the dialplan alone:
a line moves between trunks without its channels noticing.
"""

from appliance_agent.config.lines import R2, CallerIdKind, E1Span, FxoPort, LineAudio, LinkSet, Pri, PriSide, Ss7
from appliance_agent.config.model import Desired, Extension
from appliance_agent.render.conf import Conf, Value
from appliance_agent.render.door import word
from appliance_agent.render.facts import Facts, LineFact
from appliance_agent.render.lines import LINK_TIMESLOT, analog_sets, channels, e1_spans, fxo_ports, talk_timeslots

Pairs = list[tuple[str, Value]]

FILE = "chan_dahdi.conf"
E1_CONTEXT = "from-e1"
SETS_CONTEXT = "analog"
SECOND_HALF = "-b"
"""Of an SS7 span: its circuits begin anew after the link's timeslot, which takes a section of its own."""

PRI_RESET_S = 100_000_000
"""Asterisk restarts (Q.931) the channels that it has no call on 5 s after a PRI link came up, and again after this
interval: three years. By its default it restarts none, and a far end keeps the calls of an Asterisk that died."""

_CALLER_ID = {
    CallerIdKind.FSK: ("bell", "ring"),
    CallerIdKind.FSK_V23: ("v23", "ring"),
    CallerIdKind.DTMF: ("dtmf", "dtmf"),
    CallerIdKind.DTMF_POLARITY: ("dtmf", "polarity"),
}
"""cidsignalling and cidstart."""


def fxo_context(line: str) -> str:
    return f"from-{word(line)}"


def render_chan_dahdi(desired: Desired, facts: Facts) -> str:
    conf = Conf("Telephone lines.").section("trunkgroups")
    conf.section("channels", language=desired.site.language, reportalarms="all", usecallingpres=True)
    for port, fact in fxo_ports(desired, facts):
        _fxo(conf, port, fact)
    for extension, fact in analog_sets(desired, facts):
        _analog_set(conf, extension, fact)
    linksets = {linkset.id: linkset for linkset in desired.linksets}
    for span, fact in e1_spans(desired, facts):
        match span.signalling:
            case Pri() as pri:
                _pri(conf, span, pri, fact)
            case R2() as r2:
                _r2(conf, span, r2, fact)
            case Ss7() as ss7 if ss7.linkset in linksets:
                _ss7(conf, span, ss7, linksets[ss7.linkset], fact)
            case Ss7():
                pass
    return str(conf)


def line_of(section: str) -> str:
    """The line that a section of the file belongs to."""
    return section.removesuffix(SECOND_HALF)


def _audio(audio: LineAudio) -> Pairs:
    """The canceller itself is put on the channel when it is brought up (render.line_plan)."""
    pairs: Pairs = [("echocancel", audio.echo != "off"), ("echocancelwhenbridged", audio.echo != "off")]
    return [*pairs, ("rxgain", f"{audio.rx_gain_db:.1f}"), ("txgain", f"{audio.tx_gain_db:.1f}")]


def _fxo(conf: Conf, port: FxoPort, fact: LineFact) -> None:
    signalling, start = _CALLER_ID.get(port.caller_id, ("", ""))
    caller_id: Pairs = [("cidsignalling", signalling), ("cidstart", start)] if signalling else []
    conf.section(
        word(port.line),
        ("signalling", "fxs_ks"),
        ("context", fxo_context(port.line)),
        ("setvar", f"SA_LINE={word(port.line)}"),
        ("usecallerid", port.caller_id is not CallerIdKind.NONE),
        *caller_id,
        ("callerid", "asreceived"),
        # Its detector hears loudness only and cuts talks; hangup.json has the tones, and who listens for them hangs up.
        ("busydetect", False),
        ("hanguponpolarityswitch", port.polarity_hangup),
        ("answeronpolarityswitch", port.polarity_answer),
        *_audio(port.audio),
        ("dahdichan", fact.channel),
    )


def _analog_set(conf: Conf, extension: Extension, fact: LineFact) -> None:
    """Flash holds and transfers. Asterisk's own star codes are off: what a set may dial stands in the dialplan."""
    assert extension.analog is not None, "lines.analog_sets"
    conf.section(
        word(extension.analog.line),
        ("signalling", "fxo_ks"),
        ("context", SETS_CONTEXT),
        ("setvar", f"SA_EXT={word(extension.number)}"),
        ("setvar", "TRANSFER_CONTEXT=transfer"),
        ("callerid", f"<{word(extension.number)}>"),
        ("usecallerid", True),
        ("cidsignalling", "bell"),
        # A set's hang-up is noticed after this time (ms); the default makes it 1.25 s.
        ("rxflash", 600),
        ("threewaycalling", True),
        ("transfer", True),
        ("callwaiting", False),
        ("callreturn", False),
        ("cancallforward", False),
        *_audio(extension.analog.audio),
        ("dahdichan", fact.channel),
    )


def _e1(span: E1Span, fact: LineFact) -> Pairs:
    return [
        ("context", E1_CONTEXT),
        ("setvar", f"SA_LINE={word(span.line)}"),
        ("group", fact.span),
        ("usecallerid", True),
        *_audio(span.audio),
    ]


def _pri(conf: Conf, span: E1Span, pri: Pri, fact: LineFact) -> None:
    conf.section(
        word(span.line),
        ("switchtype", pri.switch.value),
        ("signalling", "pri_net" if pri.side is PriSide.NETWORK else "pri_cpe"),
        ("pridialplan", _plan(pri.called_type.value)),
        ("prilocaldialplan", _plan(pri.calling_type.value)),
        ("overlapdial", "incoming" if pri.overlap else "no"),
        ("resetinterval", PRI_RESET_S),
        *_e1(span, fact),
        ("dahdichan", channels(fact, talk_timeslots(span))),
    )


def _plan(kind: str) -> str:
    """Q.931 calls a subscriber number local."""
    return "local" if kind == "subscriber" else kind


def _r2(conf: Conf, span: E1Span, r2: R2, fact: LineFact) -> None:
    conf.section(
        word(span.line),
        ("signalling", "mfcr2"),
        ("mfcr2_variant", "cn"),
        ("mfcr2_get_ani_first", False),
        ("mfcr2_max_ani", r2.ani_digits),
        ("mfcr2_max_dnis", r2.dnis_digits),
        ("mfcr2_category", r2.category.value),
        *_e1(span, fact),
        ("dahdichan", channels(fact, talk_timeslots(span))),
    )


def _ss7(conf: Conf, span: E1Span, ss7: Ss7, linkset: LinkSet, fact: LineFact) -> None:
    destination = linkset.destination_point_code
    keys: Pairs = [
        ("signalling", "ss7"),
        ("ss7type", "itu"),
        ("linkset", int(linkset.id)),
        ("pointcode", linkset.own_point_code),
        ("adjpointcode", linkset.adjacent_point_code),
        ("defaultdpc", linkset.adjacent_point_code if destination is None else destination),
        ("networkindicator", linkset.network.value),
        ("ss7_called_nai", linkset.called_type.value),
        ("ss7_calling_nai", linkset.calling_type.value),
        *_e1(span, fact),
    ]
    if ss7.link is None:
        conf.section(
            word(span.line),
            *keys,
            ("cicbeginswith", ss7.first_cic),
            ("dahdichan", channels(fact, talk_timeslots(span))),
        )
        return
    lower, upper = talk_timeslots(span).split(",")
    conf.section(word(span.line), *keys, ("cicbeginswith", ss7.first_cic), ("dahdichan", channels(fact, lower)))
    conf.section(
        word(span.line) + SECOND_HALF,
        *keys,
        ("cicbeginswith", ss7.first_cic + LINK_TIMESLOT),
        ("slc", ss7.link),
        ("sigchan", channels(fact, str(LINK_TIMESLOT))),
        ("dahdichan", channels(fact, upper)),
    )
