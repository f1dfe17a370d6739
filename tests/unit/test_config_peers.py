"""Peers of link probes in the configuration: their secrets, their port, who sees what."""

from appliance_agent.config.check import check
from appliance_agent.config.diff import HIDDEN, diff, without_secrets
from appliance_agent.config.model import Desired, Network, Peer
from appliance_agent.features.configuration.edit import put_item


def made() -> str:
    return "made" * 6


def peer(id_: str = "branch", secret: str | None = "a" * 20) -> Peer:
    return Peer(id=id_, name="分店", host="192.0.2.9", secret=secret)


def faults(*peers: Peer) -> list[tuple[str, str]]:
    return [(fault.path, fault.key) for fault in check(Desired(peers=peers), ())]


def test_a_new_peer_gets_a_secret_and_keeps_it() -> None:
    once = put_item(Desired(), "peers", "branch", peer(secret=None), made)
    assert once.peers[0].secret == made()
    again = put_item(once, "peers", "branch", peer(secret=None), lambda: "another" * 4)
    assert again.peers[0].secret == made()
    typed = put_item(again, "peers", "branch", peer(secret="typed" * 4), made)
    assert typed.peers[0].secret == "typed" * 4


def test_two_peers_are_told_apart_by_their_secrets() -> None:
    assert faults(peer(), peer("other", "b" * 20)) == []
    assert faults(peer(), peer("other")) == [("peers/other/secret", "same_secret")]
    assert faults(peer(secret=None)) == [("peers/branch/secret", "peer_secret")]
    assert ("peers/branch", "twice") in faults(peer(), peer())


def test_secrets_are_not_shown() -> None:
    before = Desired(peers=(peer(),))
    changed = diff(before, Desired(peers=(peer(secret="c" * 20),)))
    assert [(one.path, one.before, one.after) for one in changed] == [("peers/branch/secret", HIDDEN, HIDDEN)]
    assert without_secrets(before).peers[0].secret is None


def test_probes_are_answered_in_the_last_pair_of_the_audio_s_ports() -> None:
    assert Network().probe_port == 10998
    assert Network(rtp_first=20000, rtp_last=20100).probe_port == 20100
