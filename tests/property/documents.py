"""Documents as mean people would write them: every label is an attack, everything else is valid."""

from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from appliance_agent.config.model import Desired
from appliance_agent.config.text import Name

FRAGMENTS = (
    ";", "; comment", "#exec touch /pwned", "#include /etc/passwd", "${SHELL(touch /pwned)}", "${EPOCH}", "$[1+1]",
    "${SA_EXT}", "[", "]", "[internal]", "[x](+)", ",", "&", "=", "=>", "exten => s,1,System(touch /pwned)",
    "same => n,System(id)", "|", "\\", '"', "'", "`touch /pwned`", "%0a", "%", "@", "<sip:1@x>", "(", ")", "{", "}",
    "!", "~", "^", "张三", "🙂", "é", "\u202e", "  ", "a", "1001",
)  # fmt: skip
_NAME = TypeAdapter(Name)


def is_name(text: str) -> bool:
    try:
        return _NAME.validate_python(text) == text
    except ValidationError:
        return False


def names() -> st.SearchStrategy[str]:
    attacks = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map("".join)
    return st.one_of(attacks, st.text(min_size=1, max_size=64)).map(lambda text: text[:64].strip()).filter(is_name)


slugs = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)
numbers = st.from_regex(r"[1-9][0-9]{1,7}", fullmatch=True)
dialled = st.from_regex(r"\+?[0-9]{3,20}", fullmatch=True)
prompt_ids = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
secrets = st.from_regex(r"[A-Za-z0-9]{12,64}", fullmatch=True)


def targets() -> st.SearchStrategy[dict[str, str]]:
    return st.one_of(
        st.fixed_dictionaries({"kind": st.just("menu"), "menu": slugs}),
        st.fixed_dictionaries({"kind": st.just("queue"), "queue": slugs}),
        st.fixed_dictionaries({"kind": st.just("extension"), "extension": numbers}),
        st.just({"kind": "hangup"}),
    )


def _extensions() -> st.SearchStrategy[dict[str, Any]]:
    kind = st.sampled_from(["phone", "browser"])
    return st.fixed_dictionaries({"number": numbers, "name": names(), "kind": kind, "secret": secrets})


def _trunks() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "id": slugs,
            "name": names(),
            "host": st.sampled_from(["192.0.2.1", "10.0.0.9", "sip.example.net"]),
            "username": st.none() | st.from_regex(r"[A-Za-z0-9_.+-]{1,64}", fullmatch=True),
            "secret": st.none() | st.from_regex(r"[A-Za-z0-9_.+!@%^*()=:/-]{1,64}", fullmatch=True),
            "register_with": st.booleans(),
        }
    )


def _menus() -> st.SearchStrategy[dict[str, Any]]:
    options = st.fixed_dictionaries({"digit": st.sampled_from("0123456789*#"), "target": targets()})
    return st.fixed_dictionaries(
        {
            "id": slugs,
            "name": names(),
            "prompts": st.lists(prompt_ids, min_size=1, max_size=3),
            "options": st.lists(options, min_size=1, max_size=3, unique_by=lambda option: str(option["digit"])),
            "otherwise": targets(),
        }
    )


def _queues() -> st.SearchStrategy[dict[str, Any]]:
    music = st.none() | prompt_ids
    return st.fixed_dictionaries({"id": slugs, "name": names(), "music": music, "otherwise": targets()})


def _prompts() -> st.SearchStrategy[dict[str, Any]]:
    source = st.just("speech")
    language = st.sampled_from(["zh", "en"])
    return st.fixed_dictionaries(
        {"id": prompt_ids, "name": names(), "language": language, "source": source, "text": names()}
    )


def _several(items: st.SearchStrategy[dict[str, Any]], key: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(items, max_size=3, unique_by=lambda item: item[key])


def documents() -> st.SearchStrategy[Desired]:
    did = st.fixed_dictionaries({"number": dialled, "name": names(), "target": targets()})
    route = st.fixed_dictionaries({"prefix": st.from_regex(r"[0-9]{1,12}", fullmatch=True), "trunk": slugs})
    return st.fixed_dictionaries(
        {
            "site": st.fixed_dictionaries({"name": names()}),
            "extensions": _several(_extensions(), "number"),
            "trunks": _several(_trunks(), "id"),
            "outbound": st.lists(route, max_size=2),
            "dids": _several(did, "number"),
            "prompts": _several(_prompts(), "id"),
            "menus": _several(_menus(), "id"),
            "queues": _several(_queues(), "id"),
        }
    ).map(_joined)


def _joined(document: dict[str, Any]) -> Desired:
    """Lets routes and some targets point at what is there; dangling ones are valid too and have to be harmless."""
    for route, trunk in zip(document["outbound"], document["trunks"], strict=False):
        route["trunk"] = trunk["id"]
    for did, menu in zip(document["dids"], document["menus"], strict=False):
        did["target"] = {"kind": "menu", "menu": menu["id"]}
    for menu, queue in zip(document["menus"], document["queues"], strict=False):
        menu["options"][0]["target"] = {"kind": "queue", "queue": queue["id"]}
    return Desired.model_validate(document)


def renamed(part: Any, label: str) -> Any:
    """The same document (as plain data), every label replaced."""
    if isinstance(part, dict):
        return {key: label if key in {"name", "text"} else renamed(value, label) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [renamed(item, label) for item in part]
    return part
