"""The box's jitter buffer where a leg from the network talks with a line: at the line's own clock, also for legs that
come together with a line only later."""

from collections.abc import Callable
from typing import Any

import pytest
from board import until
from product import Api, Product
from product_lines import DID
from score import SHARE, samples, tone_share
from seat import EXTENSION, LONG_S, SEAT_TALK_S, Seat, check_heard
from wire import LIMIT_S

TICKS_A_SECOND = 50
WHOLE_CLOCK_TICKS = 550
"""The drift of two clocks is told after two windows of 256 ticks."""
MOST_PPM = 200
"""Emulated, the kernel's clock and DAHDI's are one; what is left is how late the emulator lets Asterisk see a tick."""
SEATS_LEG, TRUNKS_LEG = f"PJSIP/{EXTENSION}-", "PJSIP/trunk-exchange-"


def counted(product: Product, leg: str, ticks: int = 1) -> dict[str, int]:
    """What the buffer of the one leg whose channel's name begins so has counted, once it is so many ticks old."""

    def old() -> dict[str, int] | None:
        found = [counts for name, counts in product.buffers().items() if name.startswith(leg)]
        assert len(found) <= 1, found
        return found[0] if found and found[0]["ticks"] >= ticks else None

    return until(f"the buffer of {leg}… is {ticks} ticks old", old, LIMIT_S)


@pytest.mark.parametrize(("prefix", "line"), [("81", "e1-1:1"), ("84", "fxo-1")], ids=["PRI", "FXO"])
def test_a_leg_from_the_network_sounds_at_the_lines_clock(
    product: Product, seat: Seat, say: Callable[[str], None], prefix: str, line: str
) -> None:
    """The seat's; the line's own leg needs none."""
    seat.be_idle()
    call, _ = seat.begin_made_call(f"{prefix}8001", LONG_S)
    began, at_first = product.times(), counted(product, SEATS_LEG)
    assert len(product.buffers()) == 1
    counts = counted(product, SEATS_LEG, WHOLE_CLOCK_TICKS)
    seconds, _ = product.times().since(began)
    say(f"{counts['ticks']} ticks, clock {counts['clock_ppm']} ppm, delay {counts['delay_ms']} ms")
    assert "Using the 'DAHDI' timing module" in product.run("asterisk -rx 'timing test'")
    seat.hang_up(call)
    talk = seat.ended_call(*call)
    check_heard(talk)
    assert talk.record["line"] == line
    ticks = counts["ticks"] - at_first["ticks"]
    assert ticks == pytest.approx(TICKS_A_SECOND * seconds, rel=0.1), (at_first, counts, seconds)
    assert counts["kept"] == pytest.approx(counts["ticks"], rel=0.1), "each packet is 20 ms"
    assert counts["lost"] == counts["late"] == counts["resets"] == 0, counts
    assert abs(counts["clock_ppm"]) <= MOST_PPM, counts


def test_a_leg_that_comes_together_with_a_line_later(product: Product, api: Api, seat: Seat) -> None:
    """From outside over SIP to the seat, who calls somebody over PRI and joins the two (attended transfer)."""
    seat.be_idle()
    outside, seats = seat.begin_call(f"PJSIP/{DID}@box", talk_s=LONG_S)
    assert product.buffers() == {}, "no line is in this call"
    (taken,) = api.ask("GET", "/live")["calls"]
    (called, asking), _ = seat.begin_made_call("818001", LONG_S)
    counted(product, SEATS_LEG)
    api.ask("POST", f"/calls/{taken['call_id']}/transfer", {"to": "818001", "kind": "attended"})
    for leg in (seats, asking):
        product.exchange.ami.wait("Hangup", Uniqueid=leg)
    counts = counted(product, TRUNKS_LEG, ticks=TICKS_A_SECOND)
    seat.hang_up((outside, called))
    heard = [tail(product, leg) for leg in (outside, called)]
    assert min(heard) >= SHARE, heard
    assert counts["kept"] == pytest.approx(counts["ticks"], rel=0.1) and counts["resets"] == 0, counts
    until("no buffer is left", lambda: product.buffers() == {}, LIMIT_S)
    said = product.run("asterisk -rx 'module unload func_sa_jitter.so'; asterisk -rx 'module load func_sa_jitter.so'")
    assert "Unloaded" in said, said


def tail(product: Product, unique_id: str) -> float:
    """How much of the last seconds of what this end heard was the other's tone; once it has hung up."""
    product.exchange.ami.wait("Hangup", Uniqueid=unique_id)
    product.fetch(f"heard/{unique_id}.done")
    sound, rate = samples(product.fetch(f"heard/{unique_id}.wav"))
    end: Any = sound[-int(rate * SEAT_TALK_S) :]
    return tone_share(end[rate:-rate], rate, product.exchange.tone_hz)
