"""Every check of the whole document, by one document that breaks it; the path must lead to the field."""

from collections.abc import Mapping
from typing import Any

import pytest

from appliance_agent.config.check import check
from appliance_agent.config.model import (
    Desired,
    Did,
    Extension,
    ExtensionKind,
    ExtensionTarget,
    HangupTarget,
    Menu,
    MenuOption,
    MenuTarget,
    Network,
    OutboundRoute,
    Queue,
    QueueTarget,
    Site,
    Target,
    Trunk,
)
from appliance_agent.config.sample import sample_document, sample_prompts

PROMPTS = sample_prompts()
SOUND = PROMPTS[0].id
ON_DISK = {prompt.id for prompt in PROMPTS}
GOOD = sample_document("192.0.2.1", PROMPTS, lambda: "a" * 24)


HANGUP = HangupTarget()


def menu(name: str, option: Target, otherwise: Target = HANGUP) -> Menu:
    return Menu(
        id=name, name=name, prompts=(SOUND,), options=(MenuOption(digit="1", target=option),), otherwise=otherwise
    )


def goto(name: str) -> MenuTarget:
    return MenuTarget(menu=name)


TRUNK, MAIN, SERVICE = GOOD.trunks[0], GOOD.menus[0], GOOD.queues[0]

BROKEN: Mapping[str, tuple[dict[str, Any], set[str]]] = {
    "two extensions of one number": ({"extensions": (*GOOD.extensions, GOOD.extensions[0])}, {"extensions/1001"}),
    "two menus of one id": ({"menus": (MAIN, MAIN)}, {"menus/main"}),
    "a number with and without +": ({"dids": (*GOOD.dids, Did(number="+075588886666", name="x", target=goto("main")))},
                                    {"dids/075588886666"}),
    "a digit twice": ({"menus": (MAIN.model_copy(update={"options": (*MAIN.options, MAIN.options[0])}),)},
                      {"menus/main/options/1"}),
    "a seat twice": ({"queues": (SERVICE.model_copy(update={"seats": ("1001", "1001")}), GOOD.queues[1])},
                     {"queues/service/seats/1001"}),
    "an option leads nowhere": ({"queues": GOOD.queues[:1]}, {"menus/main/options/2/target"}),
    "a number leads nowhere": ({"dids": (Did(number="12345", name="x", target=goto("gone")),)}, {"dids/12345/target"}),
    "otherwise leads nowhere": (
        {"queues": (SERVICE.model_copy(update={"otherwise": ExtensionTarget(extension="7777")}), GOOD.queues[1])},
        {"queues/service/otherwise"}),
    "a seat that nobody has": ({"queues": (SERVICE.model_copy(update={"seats": ("7777",)}), GOOD.queues[1])},
                               {"queues/service/seats/7777"}),
    "a route over no trunk": ({"outbound": (OutboundRoute(prefix="9", trunk="gone"),)}, {"outbound/9/trunk"}),
    "a prefix that extensions begin with": ({"outbound": (OutboundRoute(prefix="10", trunk="exchange"),)},
                                            {"outbound/10/prefix"}),
    "a phone without a secret": ({"extensions": (*GOOD.extensions,
                                                 Extension(number="1050", name="x", kind=ExtensionKind.PHONE))},
                                 {"extensions/1050/secret"}),
    "a browser with a secret": ({"extensions": (*GOOD.extensions,
                                                Extension(number="1050", name="x", secret="b" * 24))},
                                {"extensions/1050/secret"}),
    "registering without an account": ({"trunks": (TRUNK.model_copy(update={"register_with": True}),)},
                                       {"trunks/exchange/username", "trunks/exchange/secret"}),
    "a secret without a user": ({"trunks": (TRUNK.model_copy(update={"secret": "x"}),)}, {"trunks/exchange/username"}),
    "no codec": ({"trunks": (TRUNK.model_copy(update={"codecs": ()}),)}, {"trunks/exchange/codecs"}),
    "two trunks at one address": ({"trunks": (TRUNK, Trunk(id="other", name="x", host="192.0.2.1"))},
                                  {"trunks/other/host"}),
    "too few ports for audio": ({"network": Network(rtp_first=10000, rtp_last=10010)}, {"network/rtp_last"}),
    "audio ports backwards": ({"network": Network(rtp_first=20000, rtp_last=10000)}, {"network/rtp_last"}),
    "SIP among the audio": ({"network": Network(sip_port=10500)}, {"network/sip_port"}),
    "SIP on Asterisk's own port": ({"network": Network(sip_port=8088)}, {"network/sip_port"}),
    "no such zone": ({"site": Site(timezone="Asia/Nowhere")}, {"site/timezone"}),
    "a folder as zone": ({"site": Site(timezone="Asia")}, {"site/timezone"}),
    "a path as zone": ({"site": Site(timezone="../../etc/passwd")}, {"site/timezone"}),
    "a prompt not in the document": ({"prompts": PROMPTS[1:]}, {"menus/main/prompts/0"}),
    "a queue called general": ({"queues": (*GOOD.queues, Queue(id="general", name="x"))}, {"queues/general/id"}),
    "music not in the document": ({"queues": (SERVICE.model_copy(update={"music": "0" * 32}), GOOD.queues[1])},
                                  {"queues/service/music"}),
    "menus that only reach each other": (
        {"menus": (MAIN, menu("a", goto("b"), goto("b")), menu("b", goto("a"), goto("a")))},
        {"menus/a/options", "menus/b/options"}),
    "a menu that silence keeps for ever": (
        {"menus": (MAIN, menu("a", QueueTarget(queue="sales"), goto("a")))}, {"menus/a/otherwise"}),
    "queues that overflow into each other": (
        {"queues": tuple(one.model_copy(update={"otherwise": QueueTarget(queue=other.id)})
                         for one, other in zip(GOOD.queues, reversed(GOOD.queues), strict=True))},
        {"queues/service/otherwise", "queues/sales/otherwise"}),
}  # fmt: skip


def test_the_sample_and_the_empty_document_are_good() -> None:
    assert check(GOOD, ON_DISK) == []
    assert check(Desired(), set()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_told_with_its_path(name: str) -> None:
    update, paths = BROKEN[name]
    faults = check(GOOD.model_copy(update=update), ON_DISK)
    assert {fault.path for fault in faults} == paths
    assert all(fault.message for fault in faults)


def test_menus_may_call_each_other_when_one_leads_out() -> None:
    menus = (MAIN, menu("a", goto("b")), menu("b", goto("a"), QueueTarget(queue="sales")))
    assert check(GOOD.model_copy(update={"menus": menus}), ON_DISK) == []


def test_a_queue_may_fall_back_to_the_menu_that_leads_to_it() -> None:
    queues = (SERVICE.model_copy(update={"otherwise": goto("main")}), GOOD.queues[1])
    assert check(GOOD.model_copy(update={"queues": queues}), ON_DISK) == []


def test_audio_that_is_gone_from_the_disk_is_told() -> None:
    faults = check(GOOD, ON_DISK - {SOUND})
    assert [fault.path for fault in faults] == [f"prompts/{SOUND}"]
