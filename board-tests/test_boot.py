"""The kernel, DAHDI's modules and cross-connected spans, without any Asterisk."""

import pytest
from board import Board

pytestmark = pytest.mark.boots


def test_the_kernel_is_the_locked_one_and_dahdi_loads(board: Board) -> None:
    board.run("busybox modprobe dahdi auto_assign_spans=1")
    loaded = board.run("busybox lsmod")
    assert "dahdi " in loaded
    assert board.run("cat /sys/module/dahdi/version") == "3.4.0"


def test_a_cross_connected_pair_comes_up(lines: Board) -> None:
    spans = lines.run("ls /sys/bus/dahdi_spans/devices").split()
    assert spans == [f"span-{number}" for number in range(1, 9)]
    channels = [int(lines.run(f"cat /sys/bus/dahdi_spans/devices/{span}/channels")) for span in spans]
    assert channels == [31] * 6 + [4] * 2
