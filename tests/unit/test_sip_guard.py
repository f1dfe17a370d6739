"""What a page may say in SIP. Whatever bytes come, the guard answers and never raises."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.front.sip_guard import MESSAGE_LIMIT, Allow, Refuse, SipGuard

REGISTER = (
    "REGISTER sip:box.test SIP/2.0\r\n"
    "Via: SIP/2.0/WS 3ik5a.invalid;branch=z9hG4bK7\r\n"
    "Max-Forwards: 69\r\n"
    "To: <sip:1001@box.test>\r\n"
    'From: "坐席 1001" <sip:1001@box.test>;tag=9q3u\r\n'
    "Call-ID: 2k0q\r\n"
    "CSeq: 1 REGISTER\r\n"
    'Authorization: Digest algorithm=MD5, username="1001", realm="asterisk", nonce="17/5", uri="sip:box.test", '
    'response="0ab", opaque="5c", qop=auth, cnonce="x", nc=00000001\r\n'
    'Contact: <sip:r4nd0m@3ik5a.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance="<urn:uuid:1>";expires=600\r\n'
    "Supported: path,gruu,outbound\r\n"
    "User-Agent: JsSIP 3.10.1\r\n"
    "Content-Length: 0\r\n\r\n"
)
BODY = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"
INVITE = (
    "INVITE sip:*78%2313800138000@box.test SIP/2.0\r\n"
    "Via: SIP/2.0/WS 3ik5a.invalid;branch=z9hG4bK8\r\n"
    "To: <sip:*78%2313800138000@box.test>\r\n"
    "From: <sip:1001@box.test>;tag=1\r\n"
    "Call-ID: c1\r\n"
    "CSeq: 2 INVITE\r\n"
    "Content-Type: application/sdp\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
)
BYE_OF_CALLEE = (
    "BYE sip:asterisk@127.0.0.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/WS 3ik5a.invalid;branch=z9hG4bK9\r\n"
    "To: <sip:13800138000@box.test>;tag=as1\r\n"
    "From: <sip:r4nd0m@3ik5a.invalid;transport=ws>;tag=2\r\n"
    "Call-ID: c2\r\n"
    "CSeq: 3 BYE\r\n"
    "Content-Length: 0\r\n\r\n"
)
RESPONSE = REGISTER.replace("REGISTER sip:box.test SIP/2.0", "SIP/2.0 180 Ringing").replace("1 REGISTER", "1 INVITE")


def check(text: str) -> Allow | Refuse:
    return SipGuard("1001").check(text.encode())


@pytest.mark.parametrize("message", [REGISTER, INVITE, RESPONSE, "\r\n\r\n", "\r\n"])
def test_what_jssip_sends_passes(message: str) -> None:
    assert check(message) == Allow()


def test_a_called_page_speaks_from_its_contact_once_it_registered() -> None:
    guard = SipGuard("1001")
    assert isinstance(guard.check(BYE_OF_CALLEE.encode()), Refuse)
    assert guard.check(REGISTER.encode()) == Allow()
    assert guard.check(BYE_OF_CALLEE.encode()) == Allow()
    outside = BYE_OF_CALLEE.replace(";tag=as1", "")
    assert isinstance(guard.check(outside.encode()), Refuse), "only inside a dialog"


def test_a_contact_cannot_claim_an_extension() -> None:
    guard = SipGuard("1001")
    guard.check(REGISTER.replace("r4nd0m", "1002").encode())
    assert isinstance(guard.check(BYE_OF_CALLEE.replace("r4nd0m", "1002").encode()), Refuse)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<sip:1001@box.test>;tag=9q3u", "<sip:1002@box.test>;tag=9q3u"),
        ("To: <sip:1001@", "To: <sip:1002@"),
        ('username="1001"', 'username="1002"'),
        ('username="1001"', "username=1002"),
        ('username="1001"', 'username="1001", username="1002"'),
        ('realm="asterisk"', 'realm="x\\", username=\\"1001"'),
        ("Max-Forwards", "f: <sip:1002@box.test>;tag=2\r\nMax-Forwards"),
        ("Max-Forwards", "From : <sip:1002@box.test>;tag=2\r\nMax-Forwards"),
        ("Max-Forwards", "FROM: <sip:1002@box.test>;tag=2\r\nMax-Forwards"),
        ("From: ", "From: \r\n "),
        ("<sip:1001@box.test>;tag=9q3u", "<sip:%31001@box.test>;tag=9q3u"),
        ("<sip:1001@box.test>;tag=9q3u", "<sip:1001:x@box.test>;tag=9q3u"),
        ('"坐席 1001" <sip:1001@', '"<sip:1001@" <sip:1002@'),
        ('"坐席 1001" <sip:1001@', '"\\" <sip:1001@" <sip:1002@'),
        ("REGISTER sip:box.test SIP/2.0", "PUBLISH sip:box.test SIP/2.0"),
        ("REGISTER sip:box.test SIP/2.0", "REGISTER sip:box.test SIP/2.0\nFrom: <sip:1002@box.test>"),
        ("REGISTER sip:box.test SIP/2.0", " REGISTER sip:box.test SIP/2.0"),
        ("User-Agent: JsSIP", "User-Agent: \rJsSIP"),
        ("User-Agent: JsSIP", "User-Agent: \0JsSIP"),
        ("Content-Length: 0", "Content-Length: 0\r\nl: 400"),
        ("Content-Length: 0", "Content-Length: 5"),
        ("Content-Length: 0\r\n\r\n", "Content-Length: 0\r\n\r\n" + REGISTER.replace("1001", "1002")),
        ("Content-Length: 0\r\n\r\n", "\r\n" + REGISTER.replace("1001", "1002")),
        ("Content-Length: 0\r\n\r\n", "Content-Length: 0\n\n" + REGISTER.replace("1001", "1002")),
        ("Call-ID: 2k0q\r\n", ""),
    ],
)
def test_what_is_refused(old: str, new: str) -> None:
    assert old in REGISTER
    assert isinstance(check(REGISTER.replace(old, new)), Refuse)


def test_the_refusal_is_a_whole_sip_403() -> None:
    verdict = check(REGISTER.replace("<sip:1001@box.test>;tag=9q3u", "<sip:1002@box.test>;tag=9q3u"))
    assert isinstance(verdict, Refuse)
    assert verdict.reply is not None
    lines = verdict.reply.decode().split("\r\n")
    assert lines[0] == "SIP/2.0 403 Forbidden"
    assert "Via: SIP/2.0/WS 3ik5a.invalid;branch=z9hG4bK7" in lines
    assert "CSeq: 1 REGISTER" in lines
    assert lines[-2:] == ["", ""]


def test_nothing_is_too_large_to_refuse_quickly() -> None:
    for filler in (" ", '"', "<", ";a", "\\", ", username=", "%31"):
        value = filler * ((MESSAGE_LIMIT - 2000) // len(filler))
        for header in ("From: ", "To: ", "Contact: ", "Authorization: Digest "):
            assert isinstance(check(REGISTER.replace("Max-Forwards: 69", header + value)), Refuse)


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    assert isinstance(SipGuard("1001").check(data), Allow | Refuse)


@given(st.data())
def test_a_damaged_message_never_speaks_for_another(data: st.DataObject) -> None:
    """Whatever is inserted: when it passes, the sender that any reader could find is the session's own."""
    place = data.draw(st.integers(0, len(REGISTER)))
    hostile = data.draw(
        st.sampled_from(["From: <sip:1002@x>\r\n", "\r\nf:<sip:1002@x>", "1002", "\r\n\r\n", "\n", "\r", '"', "<", ">"])
        | st.text(max_size=10)
    )
    message = REGISTER[:place] + hostile + REGISTER[place:]
    if check(message) == Allow():
        head = message.partition("\r\n\r\n")[0]
        senders = re.findall(r"(?im)^[ \t]*(?:from|f)[ \t]*:(.*)$", head.replace("\r", "\n"))
        assert len(senders) == 1
        assert re.findall(r"sips?:([^@>]*)@", re.sub(r'"(?:[^"\\]|\\.)*"', "", senders[0])) == ["1001"]
