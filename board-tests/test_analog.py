"""Analog lines: the simulator is the exchange, or a telephone; our end is Asterisk on its FXO and FXS ports."""

from collections.abc import Callable

import pytest
from analog import OURS, SIM_HZ, Analog, answers, digits, share, talks
from callerid import CallerId, Modem, decoded, dtmf_before_ring, fsk, message
from linesim_client import Step, echo, hook, pause, play, record, wait
from score import tone_share
from sounds import RATE_HZ, TONE_DBM0, TONE_HZ, dtmf, level

SHARE = 0.8
NUMBER = "13800138000"
DUT_HZ = 523.0
RINGS: dict[str, tuple[int, list[Step]]] = {
    "FSK, Bell 202": (1, [hook("ring"), pause(1.6), play("bell")]),
    "FSK, V.23": (3, [hook("ring"), pause(1.6), play("v23")]),
    "DTMF": (4, [play("dtmf"), pause(0.3), hook("ring")]),
}
"""How the exchange tells who calls: line, and steps until the port answers."""


@pytest.fixture(scope="module", autouse=True)
def caller_ids(analog: Analog) -> None:
    analog.sim.load("bell", fsk(message(NUMBER, "Zhang San"), Modem.BELL_202))
    analog.sim.load("v23", fsk(message(NUMBER, "Zhang San"), Modem.V23))
    analog.sim.load("dtmf", dtmf_before_ring(NUMBER))
    analog.sim.load("8004", dtmf("8004"))
    analog.sim.load("8005", dtmf("8005"))


@pytest.mark.parametrize("kind", RINGS)
def test_in_by_an_fxo_port(analog: Analog, kind: str) -> None:
    line, rings = RINGS[kind]
    since, name = len(analog.dut.ami.events), f"in-{line}"
    begun = len(analog.sim.events)
    analog.sim.run(line, *rings, wait("offhook"), hook("off"), pause(0.2), *talks(name, 5), hook("on"), wait("onhook"))
    came = analog.called(since)
    analog.sim.finish(line, begun)
    assert (came["From"], came["Name"]) == (NUMBER, "" if kind == "DTMF" else "Zhang San")
    assert came["Channel"].startswith(f"DAHDI/{line + OURS}-")
    assert share(analog.heard(name), DUT_HZ) >= SHARE
    assert share(analog.dut_heard(came["Id"]), SIM_HZ) >= SHARE


def test_a_call_without_caller_id_has_none(analog: Analog) -> None:
    """The control: what the ports told was what came over the line."""
    since, begun = len(analog.dut.ami.events), len(analog.sim.events)
    analog.sim.run(2, hook("ring"), wait("offhook"), hook("off"), pause(1), hook("on"), wait("onhook"))
    assert analog.called(since)["From"] == ""
    analog.sim.finish(2, begun)


def test_out_by_an_fxo_port(analog: Analog) -> None:
    begun, line = len(analog.sim.events), 5
    analog.sim.run(line, *answers(11, play("ring-back"), *talks("out", 5), hook("on"), wait("onhook")))
    call = analog.answered(analog.originate(line + OURS, NUMBER))
    assert digits(analog.sim.finish(line, begun)) == NUMBER
    assert share(analog.heard("out"), DUT_HZ) >= SHARE
    talk = analog.dut_heard(call)[-4 * RATE_HZ :]  # before it: dial tone and ring-back
    assert share(talk, SIM_HZ) >= SHARE
    assert level(talk[RATE_HZ:-RATE_HZ]) == pytest.approx(TONE_DBM0, abs=0.5), "dBm0"


def test_the_echo_of_a_line_is_cancelled(analog: Analog, say: Callable[[str], None]) -> None:
    """Two lines return what we send; only the port at the first has a canceller (guest: system.conf)."""
    begun, lines, seconds = len(analog.sim.events), (6, 7), 6
    for line in lines:
        analog.sim.run(line, *answers(4), echo(seconds, loss_db=10), hook("on"), wait("onhook"))
    calls = [analog.answered(analog.originate(line + OURS, "8003")) for line in lines]
    for line in lines:
        analog.sim.finish(line, begun)
    cancelled, returned = (level(analog.dut_heard(call)[-4 * RATE_HZ : -RATE_HZ]) for call in calls)
    say(f"echo of {returned:.1f} dBm0, cancelled to {cancelled:.1f} dBm0")
    assert returned > -30, "dBm0: the echo is there"
    assert cancelled < returned - 20, "dBm0: the echo is gone"


def test_to_a_telephone(analog: Analog) -> None:
    begun, telephone = len(analog.sim.events), 13
    analog.sim.run(
        telephone, record("ringing"), wait("ring"), wait("ring"), record(""), hook("off"), *talks("to", 5), hook("on")
    )
    call = analog.answered(analog.originate(telephone + OURS))
    analog.sim.finish(telephone, begun)
    assert decoded(analog.heard("ringing"), Modem.BELL_202) == CallerId("075588886666", "Zhang San")
    assert share(analog.heard("to"), DUT_HZ) >= SHARE
    assert share(analog.dut_heard(call), SIM_HZ) >= SHARE


def test_a_telephone_that_is_rung_right_after_its_call_is_heard_when_it_answers(analog: Analog) -> None:
    """Our end closes the first call, and the set goes on hook while DAHDI still drops its battery (docs/adr/0021)."""
    begun, since, telephone = len(analog.sim.events), len(analog.dut.ami.events), 15
    answered = [wait("ring"), hook("off"), wait("onhook"), hook("on")]
    analog.sim.run(telephone, *answered, *answered)
    analog.dut.ami.action(
        "Originate", variables={"LINE": f"DAHDI/{telephone + OURS}"}, Channel="Local/5000@called", Context="twice",
        Exten="s", Priority="1", Async="true",
    )  # fmt: skip
    analog.sim.finish(telephone, begun)
    assert analog.dut.ami.wait("UserEvent", UserEvent="Twice", since=since)["Result"] == "ANSWER"


def test_from_a_telephone_with_flash(analog: Analog) -> None:
    since, begun, telephone = len(analog.dut.ami.events), len(analog.sim.events), 14
    dials = [record("dialling"), pause(1.5), record("")]
    analog.sim.run(
        telephone, hook("off"), *dials, play("8004"), pause(1), *talks("from", 5), hook("flash"), pause(1),
        record("second"), pause(1), record(""), play("8005"), pause(3), hook("on"),
    )  # fmt: skip
    came = analog.called(since)
    assert came["Number"] == "8004"
    analog.sim.finish(telephone, begun)
    assert tone_share(analog.heard("dialling")[4000:], 8000, TONE_HZ) >= SHARE
    assert tone_share(analog.heard("second"), 8000, TONE_HZ) >= SHARE, "the flash was heard"
    assert share(analog.heard("from"), DUT_HZ) >= SHARE
    second = analog.dut.ami.wait("UserEvent", UserEvent="Called", Number="8005")
    assert second["Channel"].startswith(f"DAHDI/{telephone + OURS}-")
    before = analog.dut.ami.events[: analog.dut.ami.events.index(second)]
    assert came["Id"] not in [one["Uniqueid"] for one in before if one["Event"] == "Hangup"], "the first call waits"
