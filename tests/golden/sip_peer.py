"""A SIP user who begins a call and leaves its sound to others (rtp_peer.py): prints at which port Asterisk listens.

Runs alone in the box's network (`nsenter`): standard library only.
sip_peer.py ADDRESS EXTENSION RTP_PORT "111 opus/48000/2"
"""

import re
import socket
import sys

ASTERISK = ("127.0.0.1", 5060)
LIMIT_S = 30.0
END = "\r\n"


def main(address: str, extension: str, rtp_port: str, codec: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((address, 0))
        peer.settimeout(LIMIT_S)
        here = f"{address}:{peer.getsockname()[1]}"
        kind = codec.partition(" ")[0]
        sdp = [
            "v=0", f"o=- 1 1 IN IP4 {ASTERISK[0]}", "s=-", f"c=IN IP4 {ASTERISK[0]}", "t=0 0",
            f"m=audio {rtp_port} RTP/AVP {kind}", f"a=rtpmap:{codec}", "",
        ]  # fmt: skip

        def send(method: str, to: str, body: str) -> None:
            lines = [
                f"{method} sip:{extension}@{ASTERISK[0]} SIP/2.0",
                f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{method}{here}", "Max-Forwards: 70",
                f"From: <sip:{rtp_port}@{here}>;tag=peer", f"To: {to}", f"Call-ID: {rtp_port}-{here}",
                f"CSeq: 1 {method}", f"Contact: <sip:{rtp_port}@{here}>", "Content-Type: application/sdp",
                f"Content-Length: {len(body)}", "", body,
            ]  # fmt: skip
            peer.sendto(END.join(lines).encode(), ASTERISK)

        send("INVITE", f"<sip:{extension}@{ASTERISK[0]}>", END.join(sdp))
        while (answer := peer.recv(65535).decode()).startswith("SIP/2.0 1"):
            pass
        assert answer.startswith("SIP/2.0 200"), answer
        send("ACK", re.findall(r"(?mi)^To: (.*)\r$", answer)[0], "")
        print(re.findall(r"m=audio (\d+)", answer)[0])


main(*sys.argv[1:])
