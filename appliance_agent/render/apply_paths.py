"""From a name in Asterisk's files back to the field that people know. Pure."""

from appliance_agent.config.model import Desired
from appliance_agent.render.dialplan.target import menu_context, queue_context
from appliance_agent.render.pjsip import trunk_endpoint

ENDPOINT_PARTS = frozenset({"endpoint", "aor", "auth", "identify", "registration"})


def field_of(document: Desired, kind: str, name: str) -> str:
    """`kind`: an object type of pjsip, or the stem of the file that holds section `name`. The file's name itself
    when nothing in the document is called so."""
    if kind == "transport":
        return "network/sip_port"
    if kind in ENDPOINT_PARTS:
        for trunk in document.trunks:
            if name.startswith(trunk_endpoint(trunk.id)):
                return f"trunks/{trunk.id}/host" if kind == "identify" else f"trunks/{trunk.id}"
        number = name.partition("-")[0]
        return f"extensions/{number}"
    for menu in document.menus:
        if name == menu_context(menu):
            return f"menus/{menu.id}"
    for queue in document.queues:
        if name in (queue.id, queue_context(queue.id)):
            return f"queues/{queue.id}"
    return kind
