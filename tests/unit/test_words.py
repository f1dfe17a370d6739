"""The panel has words in both languages for every error that the agent raises and a page may show, and for no other.

Keys are found in the agent's source: where a Fault or an answer is made, its key stands there.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AGENT, WEB = ROOT / "appliance_agent", ROOT / "web"
LANGUAGES = ("zh", "en")

MAKERS = {"Fault", "Refused", "refused", "error", "answer", "answers.refused", "answers.error", "errors.answer"}
"""What makes an error of (kind or status, key, message); see kernel/errors.py, http/errors.py, front/answers.py."""
HANDED_ON = {"key", "fault.key", "refused.key"}
"""An error that was made elsewhere becomes an answer here."""
MADE_OF = {"prompt.{what}_unavailable": "_unavailable", "user.{path}_taken": "_taken",
           "lines.test_{refused.key}": "Refusal"}  # fmt: skip
"""A key with a gap → the function whose first argument fills it."""

AT_START = "told to who starts the program, by its log and exit code"
HANDSHAKE = "the answer to a WebSocket's handshake, whose body no page can read"
NOT_OURS = "the panel sends no such request"
UNSEEN = {
    "init.group": AT_START, "init.sample": AT_START, "identity.invalid": AT_START, "secrets.unreadable": AT_START,
    "front.certificate": AT_START, "hangup.file": AT_START, "config.none": AT_START,
    "events.full": HANDSHAKE, "phone.full": HANDSHAKE, "session.unreadable": HANDSHAKE, "request.websocket": HANDSHAKE,
    "request.json": NOT_OURS, "request.media": NOT_OURS, "request.length": NOT_OURS, "http.method": NOT_OURS,
    "config.if_match": NOT_OURS,
    "panel.missing": "there is no panel to show it",
    "config.lines_wait": "told to the log: what runs is checked again soon",
}  # fmt: skip
"""Keys that reach no page, and why."""
FAILED_TEST = {"lines.not_served", "lines.test_call", "lines.test_lost"}
"""Raised while a line is tested: why the test failed, not why a request did (`linetests.reason`)."""
FAILED_TEST_TOO = {"lines.in_call"}
"""The same, and why a line cannot be taken out of service."""
FOREIGN = {"http.502", "http.503", "http.504"}
"""Made by the SDK of an answer that is not the box's: a proxy says that the box is away."""


@dataclass(frozen=True)
class Made:
    """A place where an error is made."""

    keys: frozenset[str]
    hinted: bool
    where: str


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    return tuple((str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in sorted(AGENT.rglob("*.py")))


@cache
def calls() -> tuple[tuple[str, ast.Call], ...]:
    """What is called, and the call."""
    nodes = (node for _, tree in trees() for node in ast.walk(tree))
    return tuple((ast.unparse(node.func), node) for node in nodes if isinstance(node, ast.Call))


@cache
def constants() -> dict[str, str]:
    """NAME = "text" of the agent's modules."""
    return {
        node.targets[0].id: node.value.value
        for _, tree in trees()
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }  # fmt: skip


@cache
def first_arguments(function: str) -> frozenset[str]:
    given = [call.args[0] for called, call in calls() if called == function]
    assert given, f"nobody calls {function}()"
    texts = [one.value for one in given if isinstance(one, ast.Constant)]
    assert len(texts) == len(given), f"{function}() is called with something else than a text"
    return frozenset(map(str, texts))


def keys_of(node: ast.expr, where: str) -> frozenset[str]:
    """Every key that the expression can be."""
    match node:
        case ast.Constant(value=str(key)):
            return frozenset({key})
        case ast.Name(id=name) if name in constants():
            return frozenset({constants()[name]})
        case ast.JoinedStr():
            form = ast.unparse(node)[2:-1]
            assert form in MADE_OF, f"{where}: tell MADE_OF what fills the gap of {form}"
            return frozenset(re.sub(r"\{.*\}", gap, form) for gap in first_arguments(MADE_OF[form]))
    assert ast.unparse(node) in HANDED_ON, f"{where}: which keys can {ast.unparse(node)} be?"
    return frozenset()


def made_in(tree: ast.AST, file: str) -> Iterator[Made]:
    inherited = [
        call
        for kind in ast.walk(tree)
        if isinstance(kind, ast.ClassDef) and "Fault" in map(ast.unparse, kind.bases)
        for call in ast.walk(kind)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__"
    ]
    direct = [call for call in ast.walk(tree) if isinstance(call, ast.Call) and ast.unparse(call.func) in MAKERS]
    for call in inherited + direct:
        if len(call.args) < 2:  # an answer that is ready, in an exception
            continue
        where = f"{file}:{call.lineno}"
        hints = [one.value for one in call.keywords if one.arg == "hint"]
        yield Made(keys_of(call.args[1], where), any(ast.unparse(hint) != "''" for hint in hints), where)


@cache
def made() -> tuple[Made, ...]:
    return tuple(one for file, tree in trees() for one in made_in(tree, file))


def raised() -> dict[str, str]:
    """Key → a place where it is raised."""
    return {key: one.where for one in made() for key in one.keys}


def shown() -> dict[str, str]:
    return {key: where for key, where in raised().items() if key not in UNSEEN | dict.fromkeys(FAILED_TEST)}


def of_the_page() -> set[str]:
    """Keys of errors that the SDK and the panel make themselves."""
    sources = [path.read_text() for part in ("sdk/src", "panel/src") for path in (WEB / part).rglob("*.ts")]
    return {key for text in sources for key in re.findall(r"new Sa800Error\(\{ key: '([a-z_.]+)'", text)} | FOREIGN


def words(language: str, file: str, *group: str) -> dict[str, str]:
    found = json.loads((WEB / f"panel/src/locales/{language}/{file}.json").read_text())
    for one in group:
        found = found[one]
    return dict(found)


def name(key: str) -> str:
    return key.replace(".", "_")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_words(language: str) -> None:
    known = words(language, "errors", "errors")
    assert {key: where for key, where in shown().items() if name(key) not in known} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_the_agent_says_what_to_do_so_do_the_words(language: str) -> None:
    known = words(language, "errors", "hints")
    hinted = {key: one.where for one in made() if one.hinted for key in one.keys & shown().keys()}
    assert {key: where for key, where in hinted.items() if name(key) not in known} == {}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", ["errors", "hints"])
def test_no_words_are_there_for_nothing(language: str, group: str) -> None:
    assert words(language, "errors", group).keys() - set(map(name, shown().keys() | of_the_page())) == set()


def test_what_reaches_no_page_is_still_raised() -> None:
    assert (UNSEEN.keys() | FAILED_TEST | FAILED_TEST_TOO) - raised().keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_of_line_tests_have_words(language: str) -> None:
    """Why a line cannot be tested so, why a test failed, why nothing was found: as many as the words there are."""
    literal = {
        value.value
        for file, tree in trees()
        if "/linetests/" in file
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "key" and isinstance(value, ast.Constant)
    }
    of_faults = {key.removeprefix("lines.") for key in FAILED_TEST | FAILED_TEST_TOO}
    wanted = literal | of_faults | first_arguments("Refusal")
    assert words(language, "linetests", "linetests", "reason").keys() == wanted


@pytest.mark.parametrize(
    ("source", "key", "hinted"),
    [
        ("Fault(FaultKind.CONFLICT, 'lines.new', 'words')", "lines.new", False),
        ("Fault(FaultKind.CONFLICT, 'lines.new', 'words', hint='do this')", "lines.new", True),
        ("Fault(kind, CANCELLED, 'words', hint='')", "config.cancelled", False),
        ("Fault(kind, f'user.{path}_taken', 'words')", "user.login_taken", False),
        ("answers.refused(503, 'phone.new', 'words')", "phone.new", False),
        ("class R(Fault):\n def __init__(self):\n  super().__init__(kind, 'calls.new', 'words')", "calls.new", False),
    ],
)
def test_the_reader_finds(source: str, key: str, hinted: bool) -> None:
    (found,) = made_in(ast.parse(source), "x.py")
    assert (key in found.keys, found.hinted) == (True, hinted)


@pytest.mark.parametrize("key", ["f'lines.{what}'", "keys[0]", "UNKNOWN_NAME"])
def test_the_reader_does_not_guess(key: str) -> None:
    with pytest.raises(AssertionError, match=r"x\.py:1"):
        list(made_in(ast.parse(f"Fault(kind, {key}, 'words')"), "x.py"))


# ── what is wrong with single fields of the configuration ──────────────────────────────────────────────
@dataclass(frozen=True)
class FieldWords:
    words: str
    """The agent's English sentence, values as {name}."""
    values: frozenset[str]
    where: str


def field_faults_in(tree: ast.AST, file: str) -> Iterator[tuple[str, FieldWords]]:
    """Key → words. A sentence is a text, or a text that stands just above under the name `words`."""
    texts: dict[str, str] = {}
    for node in sorted(
        (one for one in ast.walk(tree) if isinstance(one, ast.Assign | ast.Call)), key=lambda one: one.lineno
    ):
        if isinstance(node, ast.Assign):
            if ast.unparse(node.targets[0]) == "words" and isinstance(node.value, ast.Constant):
                texts["words"] = str(node.value.value)
            continue
        called, where = ast.unparse(node.func), f"{file}:{node.lineno}"
        assert called != "FieldFault", f"{where}: a fault of the configuration needs a key: FieldFault.of"
        if called not in ("FieldFault.of", "_missing") or not isinstance(node.args[1], ast.Constant):
            continue
        key = str(node.args[1].value)
        text = node.args[2].value if isinstance(node.args[2], ast.Constant) else texts[ast.unparse(node.args[2])]
        values = {str(one.arg) for one in node.keywords} | ({"name"} if called == "_missing" else set())
        plain = re.sub(r"!r\}", "}", str(text))
        yield key, FieldWords(plain, frozenset(values), where)
        if called == "_missing" and ast.unparse(node.args[4]) != "set()":
            yield f"{key}_among", FieldWords(plain + "; there is {there}", frozenset({"name", "there"}), where)


def field_faults() -> dict[str, FieldWords]:
    found: dict[str, FieldWords] = {}
    for file, tree in trees():
        if file.startswith("appliance_agent/config/check"):
            for key, one in field_faults_in(tree, file):
                assert found.get(key, one).words == one.words, f"{one.where}: {key} says something else elsewhere"
                found[key] = one
    return found


def test_the_english_words_of_a_field_are_the_agent_s_own() -> None:
    assert words("en", "field_faults", "field_faults") == {key: one.words for key, one in field_faults().items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_of_a_field_has_words_that_name_what_it_tells(language: str) -> None:
    known = words(language, "field_faults", "field_faults")
    assert known.keys() == field_faults().keys()
    for key, one in field_faults().items():
        assert set(re.findall(r"\{(\w+)\}", known[key])) <= one.values, f"{language} {key}, {one.where}"


def test_a_fault_of_a_field_without_a_key_is_found() -> None:
    with pytest.raises(AssertionError, match=r"x\.py:1: .* needs a key"):
        list(field_faults_in(ast.parse("FieldFault(path, f'no {line}')"), "x.py"))
