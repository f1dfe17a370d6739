"""Sysfs as DAHDI lays it out → inventory, for each card that no emulator has."""

from collections.abc import Callable, Iterator

import pytest

from hal.detect.detect import detect
from hal.linux.sysfs import read_view
from hal.model.inventory import Card, CardId, Inventory, Module, PortKind
from tests.hal import cards
from tests.hal.bed import Bed
from tests.hal.kernel import Kernel


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Bed() as bed:
        yield Kernel(bed)


def probe() -> Inventory:
    return detect(read_view())


def only_card() -> Card:
    (card,) = probe().cards
    return card


def kinds(card: Card) -> str:
    letters = {PortKind.FXO: "o", PortKind.FXS: "s", PortKind.EMPTY: "-", PortKind.E1: "E", PortKind.OTHER: "x"}
    return "".join(letters[port.kind] for port in card.ports)


def test_an_empty_box(kernel: Kernel) -> None:
    assert probe() == Inventory()


def test_a_quad_e1_without_serial(kernel: Kernel) -> None:
    kernel.plug(cards.wct4xxp(), "05:04.0")
    card = only_card()
    assert card.id == CardId("Wildcard TE410P (4th Gen)", None, "pci:0000:05:04.0")
    assert (card.family, card.maker, card.location) == ("wct4xxp", "Digium", "PCI Bus 05 Slot 05")
    assert [(span.local, span.number, span.type) for span in card.spans] == [(n, n, "E1") for n in range(1, 5)]
    assert [(port.channel, port.channels) for port in card.ports] == [(1, 31), (32, 31), (63, 31), (94, 31)]
    assert kinds(card) == "EEEE"


def test_cards_with_a_serial(kernel: Kernel) -> None:
    kernel.plug(cards.wcte43x("1TE435F2215100001"), "06:08.0")
    kernel.plug(cards.wct8xxp("1TE820F1234567"), "07:08.0")
    first, second = probe().cards
    assert (first.id.serial, first.family, len(first.ports)) == ("1TE435F2215100001", "wcte43x", 4)
    assert (second.id.serial, second.family, len(second.ports)) == ("1TE820F1234567", "wct4xxp", 8)


def test_an_analog_card_with_mixed_modules_and_an_empty_socket(kernel: Kernel) -> None:
    kernel.plug(cards.wctdm24xxp("oos-"), "05:05.0")
    card = only_card()
    assert card.id.model == "Wildcard TDM410P"
    assert kinds(card) == "oos-"
    assert [port.channel for port in card.ports] == [1, 2, 3, 4]
    assert card.modules == (
        Module(PortKind.FXO, 1, card.ports[:2]),
        Module(PortKind.FXS, 1, card.ports[2:3]),
    )


def test_an_astribank_has_relays_that_are_no_lines(kernel: Kernel) -> None:
    kernel.plug(cards.astribank("usb:X1234567"), "1-2")
    card = only_card()
    assert card.id == CardId("Astribank2", "usb:X1234567", "usb-0000:00:1d.7-2")
    assert kinds(card) == "ssssssss" + "xxxxxx" + "oooooooo"
    assert [(port.span, port.position) for port in card.ports][-1] == (2, 8)


def test_dynamic_spans_are_e1_by_their_size_and_analog_by_their_signalling(kernel: Kernel) -> None:
    kernel.plug(cards.dynamic("1:0"), "")
    kernel.plug(cards.dynamic("2:0", 4, "FXSKS"), "")
    kernel.plug(cards.dynamic("3:0", 4, "FXOKS"), "")
    found = probe().cards
    assert [kinds(card) for card in found] == ["E", "oooo", "ssss"]
    assert [card.id.serial for card in found] == ["DYN/loc/1:0", "DYN/loc/2:0", "DYN/loc/3:0"]


@pytest.mark.parametrize("mended", [False, True], ids=["dahdi_spantype", "spantype"])
def test_unassigned_spans_are_seen_without_numbers(mended: bool) -> None:
    with Bed() as bed:
        see_unassigned_spans(Kernel(bed, mended=mended))


def see_unassigned_spans(kernel: Kernel) -> None:
    kernel.plug(cards.wct4xxp(), "05:04.0", assign=False)
    kernel.plug(cards.wctdm24xxp("oooo"), "05:05.0", assign=False)
    digital, analog = probe().cards
    assert [(span.number, span.ports[0].channel) for span in digital.spans] == [(None, None)] * 4
    assert kinds(digital) == "EEEE"
    assert [(span.number, span.ports) for span in analog.spans] == [(None, ())]


def test_an_unknown_card_says_why(kernel: Kernel) -> None:
    kernel.plug(cards.stranger(), "05:04.0")
    card = only_card()
    assert not card.known
    assert "'Quux D130'" in card.trouble


def test_a_card_without_driver_is_not_overlooked(kernel: Kernel) -> None:
    kernel.plug(cards.undriven(), "05:04.0")
    kernel.plug(cards.wct4xxp(), "05:05.0")
    undriven, driven = probe().cards
    assert (undriven.id.model, undriven.id.position) == ("Digium d161:8018", "0000:05:04.0")
    assert "no DAHDI driver" in undriven.trouble
    assert driven.known


def test_numbers_fit_into_the_first_gap_as_dahdi_does(kernel: Kernel) -> None:
    kernel.plug(cards.wctdm24xxp("oooo"), "05:04.0")
    second = kernel.plug(cards.wctdm24xxp("oooooooo"), "05:05.0")
    kernel.plug(cards.wctdm24xxp("ssss"), "05:06.0")
    kernel.pull(second)
    kernel.plug(cards.wct4xxp(), "05:07.0")
    numbers = {card.id.model: [span.number for span in card.spans] for card in probe().cards}
    assert numbers["Wildcard TE410P (4th Gen)"] == [4, 5, 6, 7]


@pytest.mark.parametrize(
    "make", [cards.wct4xxp, lambda: cards.wctdm24xxp("oo--"), lambda: cards.astribank(""), lambda: cards.dynamic("1:0")]
)
def test_two_probes_of_an_unchanged_box_are_equal(kernel: Kernel, make: Callable[[], cards.CardSpec]) -> None:
    kernel.plug(make(), "1-1" if make().driver == "xpp_usb" else "05:04.0")
    first, second = probe(), probe()
    assert first == second and hash(first) == hash(second)


def test_a_device_that_vanishes_while_it_is_read_is_left_out(kernel: Kernel) -> None:
    """The directory is still listed, an attribute no longer answers."""
    plugged = kernel.plug(cards.wctdm24xxp("oooo"), "05:04.0")
    (path,) = plugged.spans.values()
    (kernel._bed.sys / "devices" / path / "basechan").unlink()
    (card,) = probe().cards
    assert [(span.number, span.ports) for span in card.spans] == [(None, ())]


def test_the_mainboard_is_named(kernel: Kernel) -> None:
    kernel.write("class/dmi/id/sys_vendor", "SA\n")
    kernel.write("class/dmi/id/product_name", "SA800-E1\n")
    chassis = probe().chassis
    assert (chassis.maker, chassis.product, chassis.serial) == ("SA", "SA800-E1", "")
