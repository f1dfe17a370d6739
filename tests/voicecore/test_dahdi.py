"""DAHDI's half of the core as far as it goes without DAHDI: what is refused before any request, and how it is told. The
rest is shown on the real one (board-tests)."""

import errno
import os
import select
from collections.abc import Iterator

import pytest
from voicecore._core import ffi, lib
from voicecore.dahdi import Law, Line, Signalling
from voicecore.dahdi_channel import DIAL_MOST, Event, Happened, event_of
from voicecore.dahdi_error import READ_OR_WRITE_EVENT, DahdiError, done


@pytest.fixture
def no_dahdi() -> Iterator[int]:
    """A file that knows none of DAHDI's requests and always waits."""
    reader, writer = os.pipe()
    yield reader
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOENT, "modules are not loaded"),
        (errno.EBUSY, "take it out of service"),
        (errno.ENODEV, "pulled"),
        (errno.EACCES, "group"),
        (errno.ENODATA, "loadzone"),
        (READ_OR_WRITE_EVENT, "take it first"),
    ],
)
def test_an_error_says_what_where_why_and_what_to_do(number: int, hint: str) -> None:
    with pytest.raises(DahdiError, match=hint) as raised:
        done(-number, "DAHDI_HOOK", "channel 7")
    error = raised.value
    assert (error.errno, error.request, error.where) == (number, "DAHDI_HOOK", "channel 7")
    assert str(error).startswith(f"[Errno {number}] DAHDI_HOOK on channel 7: ")


def test_an_answer_is_no_error() -> None:
    assert done(3, "open", "channel 7") == 3


def test_a_request_that_the_file_does_not_know_is_refused(no_dahdi: int) -> None:
    out, span, channel = ffi.new("int *"), ffi.new("vc_dahdi_span *"), ffi.new("vc_dahdi_channel *")
    for asked in (
        lib.vc_dahdi_get_span(no_dahdi, 1, span),
        lib.vc_dahdi_get_channel(no_dahdi, 1, channel),
        lib.vc_dahdi_configure_span(no_dahdi, 1, Line.HDB3 | Line.CCS | Line.CRC4, 1),
        lib.vc_dahdi_start_span(no_dahdi, 1),
        lib.vc_dahdi_loop_span(no_dahdi, 1, lib.VC_LOOP_LOCAL),
        lib.vc_dahdi_configure_channel(no_dahdi, 1, Signalling.CAS, Law.ALAW, 0b1101),
        lib.vc_dahdi_attach_echo_canceller(no_dahdi, 1, b"mg2"),
        lib.vc_dahdi_get_version(no_dahdi, ffi.new("vc_dahdi_version *")),
        lib.vc_dahdi_set_hook(no_dahdi, lib.VC_HOOK_OFF),
        lib.vc_dahdi_dial(no_dahdi, b"T123"),
        lib.vc_dahdi_is_dialling(no_dahdi, out),
        lib.vc_dahdi_set_digit_ms(no_dahdi, 100, 100),
        lib.vc_dahdi_set_ring_cadence(no_dahdi, [1000, 4000], 2),
        lib.vc_dahdi_send_bits(no_dahdi, 0b1101),
        lib.vc_dahdi_set_polarity(no_dahdi, 1),
        lib.vc_dahdi_detect_digits(no_dahdi, 1),
        lib.vc_dahdi_get_event(no_dahdi, out),
        lib.vc_dahdi_wait_event(no_dahdi, 10, out),
        lib.vc_dahdi_set_buffers(no_dahdi, 4, 160),
        lib.vc_dahdi_get_buffers(no_dahdi, out, out),
        lib.vc_dahdi_flush(no_dahdi),
        lib.vc_dahdi_flush_sound(no_dahdi),
        lib.vc_dahdi_tell_runs(no_dahdi, 1),
        lib.vc_dahdi_set_law(no_dahdi, Law.ALAW),
        lib.vc_dahdi_set_linear(no_dahdi, 1),
        lib.vc_dahdi_set_audio(no_dahdi, 1),
        lib.vc_dahdi_set_gains(no_dahdi, Law.ALAW, 3.0, -3.0),
        lib.vc_dahdi_set_echo_canceller(no_dahdi, 128),
        lib.vc_dahdi_loop_channel(no_dahdi, 1),
    ):
        assert asked == -errno.ENOTTY


def test_what_makes_no_sense_is_refused_before_it_is_asked(no_dahdi: int) -> None:
    for asked in (
        lib.vc_dahdi_get_span(no_dahdi, 0, ffi.new("vc_dahdi_span *")),
        lib.vc_dahdi_configure_span(no_dahdi, 1, 1 << 4, 0),  # T1's framing
        lib.vc_dahdi_configure_span(no_dahdi, 1, 0, -1),
        lib.vc_dahdi_configure_span(no_dahdi, 0, 0, 0),
        lib.vc_dahdi_configure_channel(no_dahdi, 0, Signalling.BEARER, Law.ALAW, 0),
        lib.vc_dahdi_configure_channel(no_dahdi, 1, Signalling.CAS, Law.ALAW, 16),
        lib.vc_dahdi_attach_echo_canceller(no_dahdi, 1, b"a name of sixteen"),
        lib.vc_dahdi_dial(no_dahdi, b"T12x"),
        lib.vc_dahdi_dial(no_dahdi, b"T" + b"1" * DIAL_MOST),
        lib.vc_dahdi_set_digit_ms(no_dahdi, 9, 100),
        lib.vc_dahdi_set_digit_ms(no_dahdi, 100, 4001),
        lib.vc_dahdi_set_ring_cadence(no_dahdi, [1000], 1),
        lib.vc_dahdi_set_ring_cadence(no_dahdi, [1000, 0], 2),
        lib.vc_dahdi_set_ring_cadence(no_dahdi, [1000] * 18, 18),
        lib.vc_dahdi_send_bits(no_dahdi, 16),
        lib.vc_dahdi_set_buffers(no_dahdi, 1, 160),
        lib.vc_dahdi_set_buffers(no_dahdi, 33, 160),
        lib.vc_dahdi_set_gains(no_dahdi, Law.DEFAULT, 0, 0),
        lib.vc_dahdi_set_gains(no_dahdi, Law.ALAW, 30.1, 0),
        lib.vc_dahdi_set_gains(no_dahdi, Law.ALAW, 0, float("nan")),
        lib.vc_dahdi_set_echo_canceller(no_dahdi, 48),
        lib.vc_dahdi_set_echo_canceller(no_dahdi, 2048),
    ):
        assert asked == -errno.EINVAL


def test_a_closed_file_is_an_error_and_closing_again_too(no_dahdi: int) -> None:
    closed = os.dup(no_dahdi)
    assert lib.vc_dahdi_close(closed) == 0
    assert lib.vc_dahdi_close(closed) == -errno.EBADF
    assert lib.vc_dahdi_get_event(closed, ffi.new("int *")) == -errno.EBADF
    assert not select.select([no_dahdi], [], [], 0)[0]


@pytest.mark.parametrize(
    ("number", "event"),
    [
        (18, Event(Happened.RING_BEGIN, 18)),
        (0x20000 | ord("5"), Event(Happened.DIGIT_DOWN, 0x20000 | ord("5"), "5")),
        (0x40000 | ord("#"), Event(Happened.DIGIT_UP, 0x40000 | ord("#"), "#")),
        (0x10000 | ord("0"), Event(Happened.PULSE_DIGIT, 0x10000 | ord("0"), "0")),
        (21, Event(None, 21)),
    ],
)
def test_an_event_is_told_by_its_number(number: int, event: Event) -> None:
    assert event_of(number) == event


@pytest.mark.parametrize(("law", "decode"), [(Law.ALAW, lib.vc_alaw_decode), (Law.ULAW, lib.vc_ulaw_decode)])
@pytest.mark.parametrize("db", [-12.0, -3.0, 0.0, 6.0])
def test_a_gain_makes_each_code_louder_by_it(law: Law, decode: object, db: float) -> None:
    table, samples, made = ffi.new("uint8_t[256]"), ffi.new("int16_t[256]"), ffi.new("int16_t[256]")
    lib.vc_dahdi_gain_table(law, db, table)
    assert callable(decode)
    decode(bytes(range(256)), samples, 256)
    decode(bytes(table), made, 256)
    if db == 0:
        assert bytes(table) == bytes(range(256))
    for before, after in zip(samples, made, strict=True):
        wanted = max(-32768, min(32767, before * 10 ** (db / 20)))
        assert abs(after - wanted) <= max(16, abs(wanted) / 30)  # half a step of the law, which ends at 32256 or so
