"""Differences between documents in people's paths, and no secret in them."""

from typing import Any

from appliance_agent.config.diff import HIDDEN, diff, same_menu, without_secrets
from appliance_agent.config.model import Extension, ExtensionKind, HangupTarget, QueueTarget, Site
from appliance_agent.config.sample import sample_document, sample_prompts

GOOD = sample_document("192.0.2.1", sample_prompts(), lambda: "a" * 24)


def told(**update: Any) -> list[tuple[str, str, Any, Any]]:
    return [(one.path, one.kind.value, one.before, one.after) for one in diff(GOOD, GOOD.model_copy(update=update))]


def test_nothing_changed() -> None:
    assert told() == []


def test_a_field_of_an_item() -> None:
    first = GOOD.extensions[0].model_copy(update={"name": "张三"})
    assert told(extensions=(first, *GOOD.extensions[1:])) == [
        ("extensions/1001/name", "change", "坐席 1001", "张三"),
    ]  # fmt: skip


def test_a_whole_item_comes_and_goes() -> None:
    one = Extension(number="1099", name="新", kind=ExtensionKind.PHONE, secret="b" * 24)
    changes = told(extensions=(*GOOD.extensions[1:], one))
    assert [(path, kind) for path, kind, _, _ in changes] == [
        ("extensions/1001", "remove"), ("extensions/1099", "add"),
    ]  # fmt: skip
    assert changes[1][3]["secret"] == HIDDEN


def test_a_changed_secret_is_told_and_not_shown() -> None:
    phone = GOOD.extensions[4].model_copy(update={"secret": "c" * 24})
    changes = told(extensions=(*GOOD.extensions[:4], phone, *GOOD.extensions[5:]))
    assert changes == [("extensions/1011/secret", "change", HIDDEN, HIDDEN)]


def test_an_option_of_a_menu_has_its_digit_in_the_path() -> None:
    menu = GOOD.menus[0]
    options = (menu.options[0].model_copy(update={"target": QueueTarget(queue="sales")}), *menu.options[1:])
    assert told(menus=(menu.model_copy(update={"options": options}),)) == [
        ("menus/main/options/1/target/queue", "change", "service", "sales"),
    ]  # fmt: skip


def test_another_kind_of_target_is_one_change() -> None:
    did = GOOD.dids[0].model_copy(update={"target": HangupTarget()})
    assert told(dids=(did,)) == [
        ("dids/075588886666/target", "change", {"kind": "menu", "menu": "main"}, {"kind": "hangup"}),
    ]  # fmt: skip


def test_a_list_of_values_and_a_singleton() -> None:
    queue = GOOD.queues[0].model_copy(update={"seats": ("1001",)})
    changes = told(queues=(queue, GOOD.queues[1]), site=Site(name="分店"))
    assert [(path, after) for path, _, _, after in changes] == [
        ("site/name", "分店"),
        ("queues/service/seats", ["1001"]),
    ]


def test_a_menus_prompts_are_one_value() -> None:
    menu = GOOD.menus[0]
    before = list(menu.prompts)
    assert told(menus=(menu.model_copy(update={"prompts": menu.prompts[:1]}),)) == [
        ("menus/main/prompts", "change", before, before[:1]),
    ]  # fmt: skip


def test_another_order_is_a_change() -> None:
    assert [path for path, *_ in told(queues=GOOD.queues[::-1])] == ["queues"]


def test_the_version_of_a_menu_is_ours() -> None:
    other = GOOD.menus[0].model_copy(update={"version": 7})
    assert told(menus=(other,)) == []
    assert same_menu(other, GOOD.menus[0])


def test_a_technician_sees_no_secret() -> None:
    assert "a" * 24 in GOOD.model_dump_json()
    assert "a" * 24 not in without_secrets(GOOD).model_dump_json()
