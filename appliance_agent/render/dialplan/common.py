"""Subroutines that every call uses. Names begin with `sa-`; variables of ours begin with `SA_`.

SA_EXT     extension of this leg; set by its endpoint, on calls it makes and calls it gets
SA_TRUNK   trunk of this leg; set by its endpoint, or by `sa-line`
SA_LINE    telephone line of this leg; set by its channel
SA_SLOT    its timeslot on that line, from 1
SA_RECORD  base name of the recording of this leg
SA_WAITING queue in which this leg waits; SA_DIALLING what it is dialling: the hangup handler tells by them what ended
SA_FAR     kind of the channel that dialled this leg
SA_HOPS    hand-overs between menus and queues without an act of the caller
"""

from appliance_agent.render.dialplan.builder import Context
from appliance_agent.render.door import path
from contracts.journal import UserEvent
from contracts.paths import RECORDING_SIDES, BoxPaths

MAX_HOPS = 20
"""A menu or queue that points at itself as `otherwise` would else turn for ever, and fill the journal."""


LINE = "DAHDI"
"""Kind of a channel over a telephone line."""
KIND = "${CHANNEL(channeltype)}"


def event(name: UserEvent, **keys: str) -> str:
    """A step that writes a user event. Values are ids of ours, closed words or already percent-encoded."""
    return f"CELGenUserEvent({name.value},{'&'.join(f'{key}={value}' for key, value in keys.items())})"


def contexts(paths: BoxPaths) -> list[Context]:
    return [_call(), _on_line(), _guard(), _end(), _hop(), _record(paths), _ring(), _seat(), _jitter(), _unanswered()]


def _call() -> Context:
    """Start of a call: ARG1 = in, out or internal; ARG2 = trunk or empty."""
    return Context("sa-call").exten(
        "s",
        event(UserEvent.CALL, dir="${ARG1}", trunk="${ARG2}", withheld="${SA_WITHHELD}"),
        'GosubIf($["${SA_SLOT}"!=""]?sa-on-line,s,1)',
        "Gosub(sa-guard,s,1)",
        "Return()",
    )


def _on_line() -> Context:
    """On a leg over a telephone line; `sa-line` was asked before."""
    return Context("sa-on-line").exten("s", event(UserEvent.LINE, line="${SA_LINE}", channel="${SA_SLOT}"), "Return()")


def _guard() -> Context:
    """Hangs the hangup handler on this leg, once."""
    return Context("sa-guard").exten(
        "s",
        'GotoIf($["${SA_GUARDED}"="1"]?done)',
        "Set(SA_GUARDED=1)",
        "Set(CHANNEL(hangup_handler_push)=sa-end,s,1)",
        ("done", "Return()"),
    )


def queue_left(status: str) -> str:
    """Tells that the caller left the queue unanswered, and forgets it in the same step: a hang-up between two steps
    would else tell it twice or never."""
    return event(UserEvent.QUEUE_LEAVE, queue="${SA_WAITING}", status=status, pos="${QUEUEPOSITION}${SET(SA_WAITING=)}")


def dial_ended(status: str, cause: str) -> str:
    """The same for a Dial()."""
    return event(UserEvent.DIAL_END, status=status, cause=cause + "${SET(SA_DIALLING=)}")


def _end() -> Context:
    """Hangup handler. A caller who was connected to a seat has MEMBERINTERFACE (setinterfacevar in queues.conf)."""
    return Context("sa-end").exten(
        "s",
        'GotoIf($["${SA_WAITING}"!="" & "${MEMBERINTERFACE}"=""]?abandon)',
        'GotoIf($["${SA_DIALLING}"!="" & "${DIALSTATUS}"!="ANSWER"]?unanswered)',
        "Return()",
        ("abandon", queue_left("abandon")),
        "Return()",
        ("unanswered", 'Set(SA_STATUS=${IF($["${DIALSTATUS}"=""]?cancel:${TOLOWER(${DIALSTATUS})})})'),
        dial_ended("${SA_STATUS}", "${HANGUPCAUSE}"),
        "Return()",
    )


def _hop() -> Context:
    return Context("sa-hop").exten(
        "s",
        "Set(SA_HOPS=$[0${SA_HOPS} + 1])",
        f"GotoIf($[${{SA_HOPS}} > {MAX_HOPS}]?end)",
        "Return()",
        ("end", "Hangup(16)"),
    )


def _record(paths: BoxPaths) -> Context:
    """Records this leg from now to its end, once: what comes from it (r) and what goes to it (t), in two files of equal
    length. It is called on the outside party's leg only, so r is always the outside party (measured with tones by
    tests/golden/test_calls.py). Option D, one stereo file, is wrong above 8 kHz: ADR 0005."""
    received, sent = (f"{path(paths.recording_spool)}/${{SA_RECORD}}{side}" for side in RECORDING_SIDES)
    return Context("sa-record").exten(
        "s",
        'GotoIf($["${SA_RECORD}"!=""]?done)',
        "Set(SA_RECORD=${CHANNEL(linkedid)})",
        f"MixMonitor(,r({received})t({sent}))",
        event(UserEvent.RECORD, file="${SA_RECORD}"),
        ("done", "Return()"),
    )


def _ring() -> Context:
    """On a called leg before it is dialled. ARG1 = queue or empty, ARG2 = kind of the caller's channel. X-SA-Call tells
    the seat's page which call it is; an analog set takes no header."""
    return Context("sa-ring").exten(
        "s",
        "Set(SA_QUEUE=${ARG1})",
        "Set(SA_FAR=${ARG2})",
        'GotoIf($["${CHANNEL(channeltype)}"!="PJSIP"]?told)',
        "Set(PJSIP_HEADER(add,X-SA-Call)=${CHANNEL(linkedid)})",
        ("told", event(UserEvent.RING, ext="${SA_EXT}", queue="${SA_QUEUE}")),
        "Return()",
    )


def _seat() -> Context:
    """On a called leg when it answered."""
    return Context("sa-seat").exten(
        "s",
        event(UserEvent.SEAT, ext="${SA_EXT}", queue="${SA_QUEUE}"),
        f'GosubIf($["${{SA_FAR}}"="{LINE}"]?sa-jitter,s,1)',
        "Return()",
    )


def _jitter() -> Context:
    """On a leg that is about to talk with a line: sound from the network at the line's clock. Ours, or Asterisk's own
    where the module is not to be had (system.jitter_buffer tells). A leg that is a line itself needs none."""
    return Context("sa-jitter").exten(
        "s",
        'GotoIf($["${CHANNEL(channeltype)}"!="PJSIP"]?done)',
        'GotoIf($["${IFMODULE(func_sa_jitter.so)}"="1"]?ours)',
        "Set(JITTERBUFFER(adaptive)=default)",
        "Return()",
        ("ours", "Set(SA_JITTER()=on)"),
        ("done", "Return()"),
    )


def _unanswered() -> Context:
    """After a Dial() that nobody answered: the caller gets the cause, or hears busy when already answered."""
    return Context("sa-unanswered").exten(
        "s",
        # 3, no route to destination: the extension is known, it is only not registered.
        "Set(SA_CAUSE=${IF($[0${HANGUPCAUSE} = 0 | 0${HANGUPCAUSE} = 3 | 0${HANGUPCAUSE} = 16]?20:${HANGUPCAUSE})})",
        'Set(SA_CAUSE=${IF($["${DIALSTATUS}" = "BUSY"]?17:${SA_CAUSE})})',
        'Set(SA_CAUSE=${IF($["${DIALSTATUS}" = "NOANSWER"]?19:${SA_CAUSE})})',
        dial_ended("${TOLOWER(${DIALSTATUS})}", "${SA_CAUSE}"),
        'GotoIf($["${CHANNEL(state)}"!="Up"]?end)',
        "PlayTones(busy)",
        "Wait(4)",
        ("end", "Hangup(${SA_CAUSE})"),
    )
