"""cel.conf and cel_custom.conf: the journal."""

from appliance_agent.render.conf import Conf
from appliance_agent.render.door import path
from contracts.journal import CEL_FIELDS
from contracts.paths import BoxPaths

EVENTS = (
    "CHAN_START", "CHAN_END", "ANSWER", "HANGUP", "BRIDGE_ENTER", "BRIDGE_EXIT", "APP_START", "APP_END",
    "PARK_START", "PARK_END", "BLINDTRANSFER", "ATTENDEDTRANSFER", "PICKUP", "FORWARD", "LINKEDID_END",
    "USER_DEFINED", "LOCAL_OPTIMIZE_BEGIN", "LOCAL_OPTIMIZE", "STREAM_BEGIN", "STREAM_END",
)  # fmt: skip
"""All but DTMF: what people type while they talk (card numbers, codes) does not belong into a journal; menu choices
are user events of ours. STREAM_* tell music on hold also while the agent is dead."""


def render_cel() -> str:
    conf = Conf("Journal: which events.")
    return str(conf.section("general", enable=True, apps="dial,queue", events=",".join(EVENTS)))


def render_cel_custom(paths: BoxPaths) -> str:
    conf = Conf("Journal: one JSON object a line.")
    return str(conf.section(path(paths.journal), format="json", fields=",".join(CEL_FIELDS)))
