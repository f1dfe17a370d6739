"""The AMI parser: chunks anywhere, any bytes, limits."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.asterisk.ami_wire import AmiParser, AmiProtocolError, Message, encode

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
keys = st.text("ABCDEFabcdef", min_size=1, max_size=12)
values = st.text(
    st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=60
)  # fmt: skip
messages = st.lists(st.lists(st.tuples(keys, values), min_size=1, max_size=8), max_size=6)


def feed_in_pieces(data: bytes, cuts: list[int], parser: AmiParser) -> list[Message]:
    found, at = [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        found += parser.feed(data[at:cut])
        at = cut
    return found


@given(messages, st.lists(st.integers(0, 100_000), max_size=20))
def test_what_is_encoded_is_parsed_wherever_the_chunks_are_cut(
    sent: list[list[tuple[str, str]]], cuts: list[int]
) -> None:
    data = BANNER + b"".join(encode(fields) for fields in sent)
    assert [list(message.fields) for message in feed_in_pieces(data, cuts, AmiParser())] == sent


@given(st.binary(max_size=2000), st.lists(st.integers(0, 2000), max_size=8))
def test_any_bytes_give_messages_or_the_one_error(data: bytes, cuts: list[int]) -> None:
    parser = AmiParser(max_line=200, max_message=500)
    with contextlib.suppress(AmiProtocolError):
        for message in feed_in_pieces(BANNER + data, cuts, parser):
            assert message.fields
            assert sum(len(key) + len(value) for key, value in message.fields) <= 1500


def test_a_character_cut_by_a_chunk_stays_whole() -> None:
    parser = AmiParser()
    data = BANNER + "Event: NewCallerid\r\nCallerIDName: 张伟\r\n\r\n".encode()
    (message,) = [found for byte in data for found in parser.feed(bytes([byte]))]
    assert message.get("CallerIDName") == "张伟"


def test_bytes_that_are_no_utf8_are_shown_not_lost() -> None:
    (message,) = AmiParser().feed(BANNER + b"Event: X\r\nCallerIDName: a\xffb\r\n\r\n")
    assert message.get("CallerIDName") == "a�b"


def test_repeated_keys_are_all_kept() -> None:
    (message,) = AmiParser().feed(BANNER + b"Response: Success\r\nOutput: a: 1\r\nOutput: \r\nOutput: b\r\n\r\n")
    assert message.all("Output") == ["a: 1", "", "b"]


@pytest.mark.parametrize("data", [b"x" * 201, b"x" * 201 + b"\r\n"])
def test_a_line_over_the_limit(data: bytes) -> None:
    with pytest.raises(AmiProtocolError, match="line"):
        AmiParser(max_line=200).feed(BANNER + data)


def test_a_message_over_the_limit() -> None:
    with pytest.raises(AmiProtocolError, match="message"):
        AmiParser(max_line=200, max_message=500).feed(BANNER + b"Output: y\r\n" * 100)


def test_another_protocol_is_refused() -> None:
    with pytest.raises(AmiProtocolError, match="no AMI"):
        AmiParser().feed(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize("bad", ["a\r\nAction: Originate", "a\nb", "a\0b"])
def test_a_line_break_in_a_value_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        encode([("Reason", bad)])
