"""Edits of the draft."""

import pytest

from appliance_agent.config.model import Desired, Extension, ExtensionKind, Site
from appliance_agent.config.sample import sample_document, sample_prompts
from appliance_agent.features.configuration.edit import delete_item, hide_secrets, number_menus, put_item
from appliance_agent.kernel.errors import Fault, FaultKind

GOOD = sample_document("192.0.2.1", sample_prompts(), lambda: "a" * 24)


def made() -> str:
    return "made" * 6


def phone(number: str = "1050", secret: str | None = None) -> Extension:
    return Extension(number=number, name="x", kind=ExtensionKind.PHONE, secret=secret)


def secret_of(document: Desired, number: str) -> str | None:
    return next(one.secret for one in document.extensions if one.number == number)


def test_a_new_phone_gets_a_secret_and_keeps_it() -> None:
    once = put_item(GOOD, "extensions", "1050", phone(), made)
    assert secret_of(once, "1050") == made()
    again = put_item(once, "extensions", "1050", phone(), lambda: "other" * 4)
    assert secret_of(again, "1050") == made()
    typed = put_item(again, "extensions", "1050", phone(secret="typed" * 4), made)
    assert secret_of(typed, "1050") == "typed" * 4


def test_an_item_is_replaced_in_its_place() -> None:
    item = GOOD.extensions[1].model_copy(update={"name": "李四"})
    document = put_item(GOOD, "extensions", "1002", item, made)
    assert [one.number for one in document.extensions] == [one.number for one in GOOD.extensions]
    assert document.extensions[1].name == "李四"


def test_an_item_cannot_be_renamed() -> None:
    with pytest.raises(Fault) as caught:
        put_item(GOOD, "extensions", "1001", phone("1050"), made)
    assert caught.value.fields[0].path == "extensions/1001/number"


@pytest.mark.parametrize(
    ("collection", "name", "users"),
    [
        ("queues", "service", {"menus/main/options/1/target", "menus/main/otherwise"}),
        ("menus", "main", {"dids/075588886666/target"}),
        ("trunks", "exchange", {"outbound/9/trunk"}),
        ("extensions", "1001",
         {"menus/main/options/0/target", "queues/service/seats/1001", "queues/sales/seats/1001"}),
        ("prompts", GOOD.prompts[0].id, {"menus/main/prompts/0"}),
    ],
)  # fmt: skip
def test_what_is_used_cannot_go_and_its_users_are_told(collection: str, name: str, users: set[str]) -> None:
    with pytest.raises(Fault) as caught:
        delete_item(GOOD, collection, name)
    assert caught.value.kind is FaultKind.CONFLICT
    assert {field.path for field in caught.value.fields} == users


def test_what_nobody_uses_goes() -> None:
    assert delete_item(GOOD, "dids", "075588886666").dids == ()
    with pytest.raises(Fault) as caught:
        delete_item(GOOD, "dids", "12345")
    assert caught.value.kind is FaultKind.NOT_FOUND


def test_a_menu_gets_a_new_version_when_callers_would_meet_something_else() -> None:
    changed = GOOD.model_copy(update={"menus": (GOOD.menus[0].model_copy(update={"wait_s": 9}),)})
    assert number_menus(changed, GOOD, {"main": 1}).menus[0].version == 2
    assert number_menus(changed, GOOD, {"main": 4}).menus[0].version == 5, "4 was tried and failed: never used again"
    same = GOOD.model_copy(update={"menus": (GOOD.menus[0].model_copy(update={"version": 9}),), "site": Site(name="x")})
    assert number_menus(same, GOOD, {"main": 4}).menus[0].version == 1


def test_rendered_secrets_are_hidden() -> None:
    text = "[1011]\npassword = abc\nsecret=def\n  secret => ghi\nusername = 1011\n"
    shown = hide_secrets(text)
    assert not any(word in shown for word in ("abc", "def", "ghi"))
    assert "username = 1011" in shown
