"""The fold of events into calls: properties over any order of events, and the cases that a real run seldom shows."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance_agent.asterisk import models as ast
from appliance_agent.asterisk.models import Channel, ChannelState
from appliance_agent.calls.live import fold
from appliance_agent.calls.live_model import CallState, LiveState, PhoneState
from appliance_agent.calls.live_reread import Waiting, rebuild

IN = Channel("1.0", "1.0", "PJSIP/trunk-main-00000000", ChannelState.RING, "138", "", "", "from-trunk-main", "0755")
SEAT = Channel("1.1", "1.0", "PJSIP/1001-00000001", ChannelState.DOWN, "1001", "", "138", "internal", "s")
OWN = Channel("2.0", "2.0", "PJSIP/1001-00000002", ChannelState.RING, "1001", "", "", "internal", "1002")
OTHER = Channel("2.1", "2.0", "PJSIP/1002-00000003", ChannelState.RINGING, "1002", "", "1001", "internal", "s")
CHANNELS = (IN, SEAT, OWN, OTHER)


def up(channel: Channel) -> Channel:
    return replace(channel, state=ChannelState.UP)


def at(channel: Channel, context: str, exten: str) -> ast.ChannelChanged:
    return ast.ChannelChanged(replace(channel, context=context, exten=exten))


def folded(*events: ast.CallEvent, state: LiveState | None = None) -> LiveState:
    state = state or LiveState()
    for second, event in enumerate(events):
        state, _ = fold(state, event, second * 1_000_000)
    return state


PLACES = (("internal", "1002"), ("menu-main-v1", "1"), ("menu-main-v1", "s"), ("queue-sales", "s"), ("sa-ring", "s"))


def somewhere(channel: Channel, state: ChannelState, linkedid: str, place: tuple[str, str]) -> Channel:
    return replace(channel, state=state, linkedid=linkedid, context=place[0], exten=place[1])


channels = st.builds(
    somewhere, st.sampled_from(CHANNELS), st.sampled_from(ChannelState), st.sampled_from(["1.0", "2.0"]),
    st.sampled_from(PLACES),
)  # fmt: skip
queues, bridges = st.sampled_from(["sales", "support"]), st.sampled_from(["b1", "b2"])
any_event = st.one_of(
    st.builds(ast.ChannelChanged, channels), st.builds(ast.ChannelGone, channels, st.just(16)),
    st.builds(ast.ChannelHeld, channels, st.booleans()), st.builds(ast.BridgeEntered, bridges, channels),
    st.builds(ast.BridgeLeft, bridges, channels), st.builds(ast.DialBegun, st.none() | channels, channels),
    st.builds(ast.QueueJoined, queues, channels), st.builds(ast.QueueLeft, queues, channels),
    st.builds(ast.QueueOffered, queues, channels, channels), st.builds(ast.QueueConnected, queues, channels, channels),
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(any_event, max_size=30))
def test_any_stream_gives_a_whole_state_and_ends_empty(events: list[ast.CallEvent]) -> None:
    state = LiveState()
    for index, event in enumerate(events):
        before = state
        state, changes = fold(before, event, index)
        legs = {leg.channel.uniqueid: call.call_id for call in state.calls.values() for leg in call.legs}
        assert legs == dict(state.where)
        assert all(call.legs for call in state.calls.values())
        for extension in ("1001", "1002"):
            busy = any(leg.extension == extension for call in state.calls.values() for leg in call.legs)
            assert (extension in state.phones) == busy
            if state.phones.get(extension) != before.phones.get(extension):
                assert extension in changes.phones
        for call_id in before.calls.keys() | state.calls.keys():
            views = [found.view() if (found := s.calls.get(call_id)) else None for s in (before, state)]
            assert views[0] == views[1] or call_id in changes.calls
    state = folded(*(ast.ChannelGone(channel, 16) for channel in CHANNELS), state=state)
    assert (state.calls, state.where, state.phones) == ({}, {}, {})


def test_an_outside_call_through_menu_and_queue() -> None:
    steps: list[tuple[ast.CallEvent, CallState]] = [
        (ast.ChannelChanged(IN), CallState.DIALLING),
        (at(IN, "sa-call", "s"), CallState.DIALLING),
        (at(up(IN), "menu-main-v3", "s"), CallState.MENU),
        (at(up(IN), "menu-main-v3", "1"), CallState.MENU),
        (at(up(IN), "queue-sales", "s"), CallState.DIALLING),
        (ast.QueueJoined("sales", up(IN)), CallState.QUEUE),
        (ast.ChannelChanged(SEAT), CallState.QUEUE),
        (ast.QueueOffered("sales", up(IN), SEAT), CallState.QUEUE),
        (ast.ChannelChanged(replace(SEAT, state=ChannelState.RINGING)), CallState.RINGING),
        (ast.QueueLeft("sales", up(IN)), CallState.RINGING),
        (ast.ChannelChanged(up(SEAT)), CallState.RINGING),
        (ast.BridgeEntered("b", up(SEAT)), CallState.RINGING),
        (ast.BridgeEntered("b", up(IN)), CallState.TALKING),
        (ast.ChannelHeld(up(SEAT), True), CallState.HELD),
        (ast.ChannelHeld(up(SEAT), False), CallState.TALKING),
        (ast.BridgeLeft("b", up(IN)), CallState.TALKING),
    ]
    state = LiveState()
    for event, expected in steps:
        state = folded(event, state=state)
        assert state.calls["1.0"].state is expected, event
    call = state.calls["1.0"]
    assert (call.direction, call.trunk, call.did, call.menu_path) == ("inbound", "main", "0755", ("main:1",))
    assert state.phones["1001"].queue == "sales"


def test_equal_choices_in_two_rounds_are_two() -> None:
    state = folded(
        at(IN, "menu-main-v1", "s"), at(IN, "menu-main-v1", "2"), at(IN, "menu-main-v1", "2"),
        at(IN, "menu-main-v1", "t"), at(IN, "menu-main-v1", "s"), at(IN, "menu-main-v1", "2"),
    )  # fmt: skip
    assert state.calls["1.0"].menu_path == ("main:2", "main:2")


def test_only_a_dialled_extension_pops_and_not_by_click_to_dial() -> None:
    state = folded(ast.ChannelChanged(IN), ast.ChannelChanged(SEAT))
    _, changes = fold(state, ast.DialBegun(IN, SEAT), 1)
    assert changes.rung == ("1.0", "1001")
    _, changes = fold(LiveState(), ast.DialBegun(None, OWN), 1)
    assert changes.rung is None


def test_a_leg_that_is_joined_to_another_call_moves_there() -> None:
    """As at an attended transfer: 1002 was consulted in call 2.0 and is now in 1.0."""
    state = folded(
        *(ast.ChannelChanged(channel) for channel in map(up, CHANNELS)),
        ast.BridgeEntered("b", up(IN)), ast.BridgeEntered("b", replace(up(OTHER), linkedid="1.0")),
        ast.ChannelGone(SEAT, 16), ast.ChannelGone(OWN, 16),
    )  # fmt: skip
    assert list(state.calls) == ["1.0"]
    call = state.calls["1.0"]
    assert (call.state, call.extension, call.did) == (CallState.TALKING, "1002", "0755")


def test_a_leg_that_is_in_its_next_bridge_already_stays_there() -> None:
    state = folded(
        *(ast.BridgeEntered("b1", up(channel)) for channel in (IN, SEAT)),
        *(ast.BridgeEntered("b2", up(channel)) for channel in (IN, SEAT)),
        *(ast.BridgeLeft("b1", up(channel)) for channel in (IN, SEAT)),
    )
    assert {leg.bridge for leg in state.calls["1.0"].legs} == {"b2"}


def test_a_phone_with_two_calls_talks_when_one_of_them_does() -> None:
    state = folded(
        ast.ChannelChanged(IN), ast.ChannelChanged(up(SEAT)), ast.ChannelHeld(up(SEAT), True), ast.ChannelChanged(OWN),
    )  # fmt: skip
    assert state.phones["1001"].state is PhoneState.TALKING
    state = folded(ast.ChannelGone(OWN, 16), state=state)
    assert state.phones["1001"].state is PhoneState.HELD


def test_rebuilt_from_lists_a_call_is_what_its_events_had_told() -> None:
    ringing = replace(SEAT, state=ChannelState.RINGING)
    state = folded(
        ast.ChannelChanged(IN), at(up(IN), "queue-sales", "s"), ast.QueueJoined("sales", up(IN)),
        ast.ChannelChanged(SEAT), ast.QueueOffered("sales", up(IN), SEAT), ast.ChannelChanged(ringing),
    )  # fmt: skip
    rows = [
        ast.ChannelRow(ringing, "", "", {"SA_QUEUE": "sales"}),
        ast.ChannelRow(replace(up(IN), context="queue-sales", exten="s"), "", "0755", {"SA_WAITING": "sales"}),
    ]
    again = rebuild(rows, [Waiting("sales", "1.0", 3)], LiveState(), 10_000_000)
    told, read = state.calls["1.0"].view(), again.calls["1.0"].view()
    assert {key: value for key, value in read.items() if key not in ("since", "started_at")} == {
        key: value for key, value in told.items() if key not in ("since", "started_at")
    }
    assert again.phones == state.phones
    assert again.calls["1.0"].waiting_since_us == 7_000_000
