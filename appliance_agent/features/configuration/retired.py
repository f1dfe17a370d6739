"""Which older menus stay rendered, because callers may still walk through them."""

from appliance_agent.config.model import Desired, Menu
from appliance_agent.features.configuration.store import ConfigurationStore
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault
from appliance_agent.render.control import AsteriskControl
from appliance_agent.render.dialplan.target import menu_context

KEPT_US = 24 * 3600 * 1_000_000
"""No caller listens to a menu for a day; a channel that seems to is a ghost."""
FRESH_US = 60 * 1_000_000
"""A caller may just be on the way into a menu that was replaced a moment ago."""


class RetiredMenus:
    def __init__(self, store: ConfigurationStore, control: AsteriskControl, clock: Clock) -> None:
        self._store, self._control, self._clock = store, control, clock

    async def beside(self, document: Desired, running: Desired) -> tuple[Menu, ...]:
        """Menus to render beside `document`'s own: those that run now, those replaced in the last minute, and those
        replaced in the last 24 h that a channel is in. In a fixed order."""
        own = {(menu.id, menu.version) for menu in document.menus}
        now_us = self._clock.now_us()
        kept = {(menu.id, menu.version): menu for menu in running.menus}
        kept |= {(menu.id, menu.version): menu for menu in await self._store.retired_menus(since_us=now_us - FRESH_US)}
        old = await self._store.retired_menus(since_us=now_us - KEPT_US)
        if any((menu.id, menu.version) not in kept for menu in old):
            occupied = await self._occupied()
            kept |= {
                (menu.id, menu.version): menu for menu in old if occupied is None or menu_context(menu) in occupied
            }
        return tuple(kept[key] for key in sorted(kept) if key not in own)

    async def _occupied(self) -> set[str] | None:
        """Contexts that a channel is in, or None when Asterisk cannot be asked."""
        try:
            answer = await self._control.command("core show channels concise")
        except Fault:
            return None
        # channel!context!extension!priority!…: names of channels and contexts hold no "!".
        return {fields[1] for line in answer.splitlines() if len(fields := line.split("!")) > 3}
