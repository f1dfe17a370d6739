"""The compiled dialplan: what callers meet, also while the box agent is dead."""

from appliance_agent.config.model import Desired
from appliance_agent.render.dialplan import common, internal, menu, outside, queue, trunk
from appliance_agent.render.dialplan.builder import Context, file_text
from appliance_agent.render.dialplan.target import Targets, menu_context
from appliance_agent.render.facts import Facts


def contexts(desired: Desired, facts: Facts) -> list[Context]:
    """Every context, in the file's order."""
    targets = Targets(desired)
    current = {menu_context(item) for item in desired.menus}
    retired = {menu_context(item): item for item in facts.retired_menus if menu_context(item) not in current}
    return [
        *trunk.contexts(desired, targets, facts),
        *menu.contexts([*desired.menus, *retired.values()], targets, facts.paths),
        *queue.contexts(desired, targets),
        *internal.contexts(desired, facts),
        *outside.contexts(desired, facts),
        *common.contexts(facts.paths),
    ]


def render_dialplan(desired: Desired, facts: Facts) -> str:
    return file_text(contexts(desired, facts))
