"""The code that a technician types: shown in groups, read back whatever he makes of it."""

import pytest

from contracts.enrol import BadCode, Code, parse, pin_of, show

CODE = Code("0123456789ABCDEF", "GHJKMNPQRSTVWXYZ")


def test_a_shown_code_is_read_back() -> None:
    assert show(CODE) == "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ"
    assert parse(show(CODE)) == CODE


def test_what_people_mistake_is_taken() -> None:
    assert parse(" oi23 4567-89ab cdef ghjk mnpq rstv wxyz") == CODE
    assert parse("0L23456789ABCDEFGHJKMNPQRSTVWXYZ") == CODE


@pytest.mark.parametrize("text", ["", "0123", "U" * 32, "0" * 33, "０" * 32])
def test_what_is_no_code_is_told(text: str) -> None:
    with pytest.raises(BadCode, match="groups of four"):
        parse(text)


def test_the_pin_is_of_the_authority() -> None:
    assert pin_of(b"one") != pin_of(b"two")
    assert len(pin_of(b"one")) == 16
    assert parse("0" * 16 + pin_of(b"one")).pin == pin_of(b"one")
