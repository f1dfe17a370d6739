"""Text from users never reaches a file of Asterisk raw: for every document, without root."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance_agent.config.model import Desired
from appliance_agent.render.door import UnsafeText, decoded, path, plain, section, word
from appliance_agent.render.facts import Facts
from appliance_agent.render.render import expected, render
from contracts.paths import BoxPaths
from tests.property.documents import FRAGMENTS, documents, names, renamed

FACTS = Facts(BoxPaths(), ami_secret="AmiSecretOfTheTests", ari_secret="AriSecretOfTheTests")
EVERY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

APPS = (
    "Answer", "BackGround", "CELGenUserEvent", "Dial", "Gosub", "GosubIf", "Goto", "GotoIf", "Hangup", "MixMonitor",
    "NoOp", "PlayTones", "Playback", "Queue", "Return", "Set", "Wait", "WaitExten",
)  # fmt: skip
FUNCTIONS = {
    "CALLERID", "CHANNEL", "CUT", "FILTER", "GROUP_COUNT", "IF", "IFMODULE", "LEN", "SET", "TOLOWER", "URIDECODE",
    "URIENCODE",
}  # fmt: skip
"""None of these runs anything, reads a file, or evaluates its argument once more (SHELL, EVAL, FILE, CURL, SYSTEM)."""

COMMENT = re.compile(r"; [A-Za-z0-9 ,.:()-]+")
HEADING = re.compile(r"\[[A-Za-z0-9_./-]+\]")
PAIR = re.compile(r"[a-z0-9_-]+ = [A-Za-z0-9_.+!@%^*()=:/,|<>-]*")
DATES = "dateformat = %F %T.%3q"
LOGFILE = re.compile(r"(messages\.log|console) = notice,warning,error")
PATHS = re.compile(r"(astetcdir|astrundir|astlogdir|astspooldir|directory|entry) = (/[A-Za-z0-9_.-]+)+")
STEP = re.compile(
    rf"(exten => [0-9A-Za-z_+*#\[\]!~-]+,1| same => n)(\([a-z]+\))?,(?P<app>{'|'.join(APPS)})\((?P<data>[^;\\`'\n]*)\)"
)
INCLUDE = re.compile(r"include => dids")


def conf_line(line: str) -> bool:
    patterns = (COMMENT, HEADING, PAIR, LOGFILE, PATHS)
    return line in ("", DATES) or any(pattern.fullmatch(line) for pattern in patterns)


def dialplan_line(line: str) -> bool:
    if not line or any(pattern.fullmatch(line) for pattern in (COMMENT, HEADING, PAIR, INCLUDE)):
        return True
    step = STEP.fullmatch(line)
    return step is not None and set(re.findall(r"\$\{([A-Z_]+)\(", step["data"])) <= FUNCTIONS


@EVERY
@given(documents())
def test_every_line_is_of_the_grammar(desired: Desired) -> None:
    for name, text in render(desired, FACTS).items():
        fits = dialplan_line if name == "extensions.conf" else conf_line
        assert text.isascii()
        assert not [line for line in text.split("\n") if not fits(line)], name


@EVERY
@given(documents(), names())
def test_labels_change_nothing_but_what_is_decoded(desired: Desired, label: str) -> None:
    """The strongest form: with every label of the document replaced, only arguments of URIDECODE differ."""
    other = Desired.model_validate(renamed(desired.model_dump(), label))
    hole = re.compile(r"URIDECODE\([A-Za-z0-9_.~%-]*\)")
    before, after = render(desired, FACTS), render(other, FACTS)
    assert before.keys() == after.keys()
    for name in before:
        assert hole.sub("", before[name]) == hole.sub("", after[name]), name
        assert "URIDECODE" not in before[name] or name == "extensions.conf"


@EVERY
@given(documents())
def test_what_is_expected_is_in_the_files(desired: Desired) -> None:
    files, names_of = render(desired, FACTS), expected(desired, FACTS)

    def headings(file: str) -> set[str]:
        return set(re.findall(r"^\[(.+)\]$", files[file], re.MULTILINE)) - {"general", "global"}

    assert headings("extensions.conf") == names_of.contexts
    assert headings("queues.conf") == names_of.queues
    assert headings("musiconhold.conf") == names_of.moh_classes
    assert names_of.endpoints <= headings("pjsip.conf")


@EVERY
@given(documents())
def test_every_goto_has_its_context(desired: Desired) -> None:
    """Also where a document points at something that is not there: the caller is hung up, never lost."""
    text = render(desired, FACTS)["extensions.conf"]
    there = expected(desired, FACTS).contexts
    gone = re.findall(r"(?:Goto|Gosub)\(([a-z][a-z0-9_+-]*),", text)
    gone += re.findall(r"[bU]\((sa-[a-z-]+)", text)
    assert set(gone) <= there, set(gone) - there


@given(st.text())
def test_the_door_lets_nothing_out(text: str) -> None:
    for door in (word, path, section, plain):
        try:
            passed = door(text)
        except UnsafeText:
            continue
        assert passed == text
        assert not set(text) & set(";\\\n\r`'\0\t")
        assert text.isascii()
    assert re.fullmatch(r"\$\{URIDECODE\([A-Za-z0-9_.~%-]*\)\}", decoded(text))


@pytest.mark.parametrize("attack", [*FRAGMENTS, "a\nb", "a\r\nb", "a;b", "x\0"])
def test_ids_are_no_way_in(attack: str) -> None:
    """Even a document built around its validation raises: a bug of ours must not become a line of ours."""
    if re.fullmatch(r"[a-z0-9]+", attack):
        return
    queue = Desired.model_validate({"queues": [{"id": "sales", "name": "x"}]}).queues[0]
    evil = Desired.model_construct(**{**dict(Desired()), "queues": (queue.model_copy(update={"id": attack}),)})
    with pytest.raises(UnsafeText):
        render(evil, FACTS)
