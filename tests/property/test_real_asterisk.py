"""The real Asterisk loads documents full of attacks, executes nothing, and delivers names as they were typed."""

import random
import re

import pytest

from appliance_agent.config.model import Desired
from appliance_agent.render.render import expected, render
from tests.golden import cases
from tests.golden.people import CASE, Scene
from tests.golden.starter import CURRENT
from tests.property.documents import FRAGMENTS, is_name, renamed

pytestmark = pytest.mark.lab

SEED = 20261122
PWNED = "pwned"
STORY = ["SA_CALL", "SA_DID", "SA_RECORD", "SA_RING", "SA_DIAL_END"]
"""What the journal says of each call of the second test: nothing is missing, whatever the caller calls himself."""


def mixtures(count: int, longest: int = 64) -> list[str]:
    """Names made of several fragments; the seed is fixed, so that a failure comes back."""
    dice, found = random.Random(SEED), set[str]()
    while len(found) < count:
        text = "".join(dice.choices(FRAGMENTS, k=dice.randint(2, 8)))[:longest].strip()
        found |= {text} if is_name(text) else set()
    return sorted(found)


def display_name(message: str) -> str:
    """The From header's display name, unquoted as RFC 3261 says."""
    line = next(line for line in message.split("\r\n") if line.startswith("From:"))
    quoted = re.match(r'From: "((?:[^"\\]|\\.)*)" <', line)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else line.removeprefix("From:").split("<")[0].strip()


async def arm(scene: Scene) -> None:
    """Makes Asterisk able to do what the attacks want: without these modules SHELL() and System() do not exist."""
    for module in ("func_shell", "app_system"):
        await scene.box.cli(f"module load {module}.so")
    assert "func_shell" in await scene.box.cli("module show like func_shell")


def pwned(scene: Scene) -> bool:
    return any((scene.box.root / folder / PWNED).exists() for folder in ("", "tmp", "var/lib/asterisk", "root"))


async def replace(scene: Scene, files: dict[str, str]) -> None:
    current = scene.box.root / CURRENT
    for name, text in files.items():
        (current / name).write_text(text)
    for command in ("dialplan reload", "pjsip reload", "queue reload all", "moh reload"):
        await scene.box.cli(command)


async def test_names_arrive_as_they_were_typed(scene: Scene) -> None:
    await arm(scene)
    await scene.seat("1001")
    await scene.seat("1002", answer="refuse")
    plain, facts = cases.desired(CASE).model_dump(), cases.facts(CASE)
    for name in [*filter(is_name, FRAGMENTS), *mixtures(20)]:
        desired = Desired.model_validate(renamed(plain, name))
        await replace(scene, render(desired, facts))
        mark = scene.seats.mark()
        await scene.seats.send("call", ext="1001", to="1002")
        ringing = await scene.seats.wait("ringing", ext="1002", since=mark)
        await scene.seats.wait("ended", ext="1001", since=mark)
        assert display_name(ringing["message"]) == name
        assert not pwned(scene), f"{name!r} was executed"
    shown = await scene.box.cli("dialplan show")
    contexts = set(re.findall(r"^\[ Context '([^']+)' created by 'pbx_config'", shown, re.MULTILINE))
    assert contexts == expected(desired, facts).contexts
    assert not scene.box.complaints()


async def test_caller_ids_from_outside_are_only_carried(scene: Scene) -> None:
    await arm(scene)
    await scene.seat("1002", answer="refuse")
    users = ["anonymous", "138%24%7bSHELL(touch%20/tmp/pwned)%7d", "a%26b%2cc", "%5b1%5d%3b", "1%22%0a2", "1001"]
    for number, (name, user) in enumerate(zip(mixtures(len(users), longest=40), users, strict=True), start=1):
        mark = scene.seats.mark()
        await scene.outside(user, name=name)
        await scene.exchange.send("call", ext=user, to="075588881002")
        ringing = await scene.seats.wait("ringing", ext="1002", since=mark)
        rows = await scene.box.calls_ended(number)
        carried = name.replace("\\", "\\\\").replace('"', '\\"')  # Asterisk leaves the quoting of who calls in place
        # Who withholds his number keeps his name, too.
        assert display_name(ringing["message"]) == ("Anonymous" if user == "anonymous" else carried)
        call = [row for row in rows if row["linkedid"] == rows[-1]["linkedid"]]
        assert {row["name"] for row in call} >= {carried}
        assert [row["eventtype"] for row in call if row["eventenum"] == "USER_DEFINED"] == STORY, user
        assert not pwned(scene), f"{name!r} or {user!r} was executed"


async def test_the_tests_above_can_fail(scene: Scene) -> None:
    """A dialplan with a raw name runs it, and `pwned` sees it."""
    await arm(scene)
    await scene.seat("1001")
    await scene.seat("1002", answer="refuse")
    files = render(cases.desired(CASE), cases.facts(CASE))
    raw = re.sub(r"\$\{URIDECODE\([^)]*\)\}", "${SHELL(touch /tmp/pwned)}", files["extensions.conf"])
    await replace(scene, {"extensions.conf": raw})
    await scene.seats.send("call", ext="1001", to="1002")
    await scene.seats.wait("ended", ext="1001")
    assert pwned(scene)


def test_a_line_break_is_no_name() -> None:
    for text in ("a\nb", "a\rb", "a\u2028b", "a\0b", "a\x1bb"):
        assert not is_name(text)
