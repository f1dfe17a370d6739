"""Where a call goes next: one place that turns a target into a dialplan step."""

from typing import assert_never

from appliance_agent.config.model import Desired, ExtensionTarget, HangupTarget, Menu, MenuTarget, QueueTarget, Target
from appliance_agent.render.door import word


def menu_context(menu: Menu) -> str:
    return f"menu-{word(menu.id)}-v{menu.version}"


def queue_context(queue: str) -> str:
    return f"queue-{word(queue)}"


class Targets:
    """Resolves targets against one document. A retired menu may point at something that is gone: that hangs up."""

    def __init__(self, desired: Desired) -> None:
        self._menus = {menu.id: menu for menu in desired.menus}
        self._queues = {queue.id for queue in desired.queues}
        self._extensions = {extension.number for extension in desired.extensions}

    def goto(self, target: Target) -> str:
        match target:
            case MenuTarget(menu=menu) if menu in self._menus:
                return f"Goto({menu_context(self._menus[menu])},s,1)"
            case QueueTarget(queue=queue) if queue in self._queues:
                return f"Goto({queue_context(queue)},s,1)"
            case ExtensionTarget(extension=number) if number in self._extensions:
                return f"Goto(extensions,{word(number)},1)"
            case MenuTarget() | QueueTarget() | ExtensionTarget() | HangupTarget():
                return "Hangup(16)"
        assert_never(target)

    def needs_answer(self, target: Target) -> bool:
        """Menus and queues speak to the caller; an extension answers by itself."""
        return isinstance(target, MenuTarget | QueueTarget)
