"""The sample a newcomer's box starts with, so that the first call can be placed at once. Pure."""

import uuid
from collections.abc import Callable

from appliance_agent.config.model import (
    Codec,
    Desired,
    Did,
    Extension,
    ExtensionKind,
    ExtensionTarget,
    Menu,
    MenuOption,
    MenuTarget,
    OutboundRoute,
    Prompt,
    Queue,
    QueueTarget,
    Site,
    Strategy,
    Trunk,
)

WELCOME_ZH = "您好，欢迎致电。客服请按一，销售请按二，转总机请按零。"
WELCOME_EN = "Welcome. For service press 1, for sales press 2, for the operator press 0."

SAMPLE_DID = "075588886666"
BROWSER_NUMBERS = ("1001", "1002", "1003", "1004")
PHONE_NUMBERS = ("1011", "1012", "1013", "1014")


def sample_prompts() -> tuple[Prompt, Prompt]:
    """The welcome in Chinese and English; their audio must be spoken before the document is applied.

    Their ids come from their text, so that a first start that was cut off does not leave a second pair.
    """
    return (
        Prompt(id=_id_of(WELCOME_ZH), name="欢迎词", language="zh", source="speech", text=WELCOME_ZH),
        Prompt(id=_id_of(WELCOME_EN), name="Welcome", language="en", source="speech", text=WELCOME_EN),
    )


def _id_of(text: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, text).hex


def sample_document(exchange: str, prompts: tuple[Prompt, Prompt], new_secret: Callable[[], str]) -> Desired:
    """`exchange`: the address of the public exchange, `:port` when it is not 5060. `new_secret`: one for each phone."""
    browsers = tuple(Extension(number=number, name=f"坐席 {number}") for number in BROWSER_NUMBERS)
    phones = tuple(
        Extension(number=number, name=f"话机 {number}", kind=ExtensionKind.PHONE, secret=new_secret())
        for number in PHONE_NUMBERS
    )
    seats = BROWSER_NUMBERS + PHONE_NUMBERS
    host, _, port = exchange.partition(":")
    return Desired(
        site=Site(name="SA800"),
        extensions=browsers + phones,
        trunks=(Trunk(id="exchange", name="公网", host=host, port=int(port or 5060), codecs=(Codec.ALAW, Codec.ULAW)),),
        outbound=(OutboundRoute(prefix="9", trunk="exchange"),),
        dids=(Did(number=SAMPLE_DID, name="总机", target=MenuTarget(menu="main")),),
        prompts=prompts,
        menus=(
            Menu(
                id="main",
                name="主菜单",
                prompts=(prompts[0].id, prompts[1].id),
                options=(
                    MenuOption(digit="1", target=QueueTarget(queue="service")),
                    MenuOption(digit="2", target=QueueTarget(queue="sales")),
                    MenuOption(digit="0", target=ExtensionTarget(extension="1001")),
                ),
                otherwise=QueueTarget(queue="service"),
            ),
        ),
        queues=(
            Queue(id="service", name="客服", seats=seats),
            Queue(id="sales", name="销售", strategy=Strategy.RING_ALL, seats=seats),
        ),
    )
