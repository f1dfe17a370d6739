"""Menus. Each version is a context of its own: callers end on the version they started on."""

from collections.abc import Sequence

from appliance_agent.config.model import Menu
from appliance_agent.render.dialplan.builder import Context
from appliance_agent.render.dialplan.common import event
from appliance_agent.render.dialplan.target import Targets, menu_context
from appliance_agent.render.door import encoded, path, word
from contracts.journal import UserEvent
from contracts.paths import BoxPaths


def contexts(menus: Sequence[Menu], targets: Targets, paths: BoxPaths) -> list[Context]:
    return [_menu(menu, targets, paths) for menu in menus]


def _menu(menu: Menu, targets: Targets, paths: BoxPaths) -> Context:
    def sound(prompt: str) -> str:
        return f"{path(paths.prompts)}/{word(prompt)}"

    def chosen(digit: str) -> str:
        return event(UserEvent.DIGIT, menu=word(menu.id), version=str(menu.version), digit=encoded(digit))

    again = f"GotoIf($[${{SA_TRIES}} < {menu.repeats}]?s,play)"
    context = Context(menu_context(menu)).exten(
        "s",
        "Gosub(sa-hop,s,1)",
        "Answer()",
        event(UserEvent.MENU, menu=word(menu.id), version=str(menu.version)),
        "Set(SA_TRIES=0)",
        ("play", "Set(SA_TRIES=$[${SA_TRIES} + 1])"),
        f"BackGround({'&'.join(sound(prompt) for prompt in menu.prompts)})",
        f"WaitExten({menu.wait_s})",
    )
    for option in menu.options:
        context.exten(word(option.digit), chosen(option.digit), "Set(SA_HOPS=0)", targets.goto(option.target))
    invalid = [f"Playback({sound(menu.invalid_prompt)})"] if menu.invalid_prompt else []
    context.exten("i", chosen("i"), *invalid, again, targets.goto(menu.otherwise))
    return context.exten("t", chosen("t"), again, targets.goto(menu.otherwise))
