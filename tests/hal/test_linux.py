"""The real drivers where they meet what a simulated box never shows: hardware that can less, and errors."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.capabilities import Capability
from hal.errors import DeviceFailed, HalError, NotSupported, NotThere, Refused, TimedOut
from hal.linux import hotplug, leds, power
from hal.linux.assign import assign
from hal.linux.attributes import write_text
from hal.linux.box import LinuxBox
from hal.linux.power import Systemd
from hal.linux.span_folder import OpenFolder
from hal.linux.voice import SysfsModule
from hal.linux.watchdog import KernelWatchdog
from hal.protocols.led import ON, Blink
from hal.protocols.voice import Alarm, Look
from tests.hal import cards
from tests.hal.bed import Bed
from tests.hal.counts import Counts, counted
from tests.hal.kernel import Kernel
from tests.hal.test_detect import only_card
from tests.hal.watchdog_device import WatchdogDevice


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Bed() as found:
        yield found


@pytest.fixture
def kernel(bed: Bed) -> Kernel:
    return Kernel(bed)


# Watchdog


@pytest.mark.parametrize(("options", "nowayout"), [(0x8180, 1), (0x8080, 0)], ids=["nowayout", "no magic close"])
async def test_a_watchdog_that_cannot_be_stopped_says_so_and_runs_on(bed: Bed, options: int, nowayout: int) -> None:
    device = WatchdogDevice(bed, options=options, nowayout=nowayout)
    watchdog = KernelWatchdog()
    assert watchdog.capabilities == {Capability.WATCHDOG, Capability.WATCHDOG_TIMEOUT}
    await watchdog.start(10)
    with pytest.raises(NotSupported, match="watchdog_stop"):
        await watchdog.stop()
    await watchdog.feed()
    assert device.running and device.feeds == 1


async def test_a_watchdog_with_a_fixed_timeout(bed: Bed) -> None:
    WatchdogDevice(bed, options=0x8100, own_s=42)
    watchdog = KernelWatchdog()
    with pytest.raises(NotSupported, match="watchdog_timeout"):
        await watchdog.start(10)
    assert await watchdog.start(None) == 42
    await watchdog.stop()


async def test_a_watchdog_that_fails_at_its_start_is_stopped_again(bed: Bed) -> None:
    device = WatchdogDevice(bed)
    device.broken = True
    watchdog = KernelWatchdog()
    with pytest.raises(DeviceFailed, match="ioctl"):
        await watchdog.start(10)
    assert not device.running
    device.broken = False
    assert await watchdog.start(10) == 10
    await watchdog.stop()


async def test_a_start_of_the_box_that_the_watchdog_forced_is_told(bed: Bed) -> None:
    device = WatchdogDevice(bed)
    device.fact("bootstatus", "32")
    assert (await KernelWatchdog().state()).fired


async def test_a_watchdog_whose_device_is_gone(bed: Bed) -> None:
    WatchdogDevice(bed)
    watchdog = KernelWatchdog()
    (bed.root / "dev/watchdog0").unlink()
    with pytest.raises(HalError, match="/dev/watchdog0"):
        await watchdog.start(10)


# LEDs and attributes


async def test_a_led_without_timer_is_shown_steady_only(kernel: Kernel, bed: Bed) -> None:
    for name, text in {"brightness": "0", "max_brightness": "1", "trigger": "[none] heartbeat"}.items():
        kernel.write(f"class/leds/sa800:red:alarm/{name}", f"{text}\n")
    (led,) = leds.find()
    with pytest.raises(NotSupported, match="led_blink"):
        await led.show(Blink(100, 100))
    await led.show(ON)
    assert (bed.sys / "class/leds/sa800:red:alarm/brightness").read_text() == "1"


async def test_a_led_that_was_pulled(kernel: Kernel, bed: Bed) -> None:
    kernel.write("class/leds/x/trigger", "[none]\n")
    (led,) = leds.find()
    (bed.sys / "class/leds/x/trigger").unlink()
    with pytest.raises(NotThere, match="trigger"):
        await led.show(ON)


def test_the_kernel_s_refusal_is_told_with_path_and_value() -> None:
    """A file of the real kernel that takes no write of this kind."""
    with pytest.raises(HalError, match=r"writing 'x' to /proc/self/oom_score_adj"):
        write_text(Path("/proc/self/oom_score_adj"), "x")


# Spans


async def test_the_same_kind_of_card_in_another_place_is_not_mistaken_by_its_serial(kernel: Kernel) -> None:
    """Also not by one who looked at the first card before, and keeps its files open; the first one may come back."""
    first = kernel.plug(cards.wcte43x("1TE435F1"), "05:04.0")
    module = SysfsModule(only_card())
    span, port = module.span(module.card.spans[0]), module.port(module.card.ports[0])
    await span.state()
    await port.state()
    kernel.pull(first)
    other = kernel.plug(cards.wcte43x("1TE435F2"), "05:04.0")
    kernel.set(1, "alarms", "0x8")
    for look in (span.state, port.state):
        with pytest.raises(NotThere, match="no longer span 1"):
            await look()
    assert (await module.look(module.card.spans[:1], module.card.ports[:1])) == Look((None,), (None,))
    kernel.pull(other)
    kernel.plug(cards.wcte43x("1TE435F1"), "05:04.0")
    kernel.set(1, "alarms", "0x4")
    assert (await span.state()).alarms == {Alarm.YELLOW}


async def test_a_card_that_could_not_be_read_once_is_not_lost(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.plug(cards.wcte43x("1TE435F3"), "05:04.0")
    card = only_card()
    span = SysfsModule(card).span(card.spans[0])
    with monkeypatch.context() as faulty:
        faulty.setattr(OpenFolder, "text", lambda _self, _name: None)
        with pytest.raises(NotThere):
            await span.state()
    await span.state()


async def test_a_look_reads_each_word_once_and_opens_nothing_again(kernel: Kernel) -> None:
    """What a busy box pays ten times a second for each E1."""
    kernel.plug(cards.wcte43x("1TE435F4"), "05:04.0")
    module = SysfsModule(card := only_card())
    kernel.set_channel(1, 1, "in_use", "1")
    await module.look(card.spans[:1], card.ports[:1])
    with counted() as counts:
        await module.look(card.spans[:1], ())
        assert counts == Counts(opened=0, read=3)
        await module.look((), card.ports[:1])
        assert counts == Counts(opened=0, read=6)


async def test_who_looks_no_more_keeps_nothing_open(kernel: Kernel, bed: Bed) -> None:
    kernel.plug(cards.wcte43x("1TE435F5"), "05:04.0")
    module = SysfsModule(card := only_card())
    await module.look(card.spans, card.ports)
    assert open_files(bed)
    del module
    assert not open_files(bed)


def open_files(bed: Bed) -> list[Path]:
    """Of the bed's sysfs, in this process."""
    files = [Path("/proc/self/fd", number) for number in os.listdir("/proc/self/fd")]  # noqa: PTH208  # names only
    return [target for file in files if file.is_symlink() and (target := file.readlink()).is_relative_to(bed.sys)]


async def test_an_e1_port_is_open_when_any_of_its_channels_is(kernel: Kernel) -> None:
    kernel.plug(cards.dynamic("1:0"), "")
    card = only_card()
    port = SysfsModule(card).port(card.ports[0])
    kernel.set_channel(1, 1, "sig", "Clear")
    kernel.set_channel(1, 31, "in_use", "1")
    state = await port.state()
    assert (state.signalling, state.open) == ("Clear", True)


async def test_a_framing_that_we_do_not_use_is_not_taken_for_another(kernel: Kernel) -> None:
    kernel.plug(cards.wct4xxp(spans=2), "05:04.0")
    card = only_card()
    for text, expected in (("HDB3", (False, False)), ("AMI/CCS", (True, False)), ("HDB3/CRC4", (False, True))):
        kernel.set(1, "lineconfig", text)
        line = (await SysfsModule(card).span(card.spans[0]).state()).line
        assert line and (line.common_channel, line.crc4) == expected
    kernel.set(1, "lineconfig", "B8ZS/ESF")
    assert (await SysfsModule(card).span(card.spans[0]).state()).line is None


# Hot plug


async def test_more_events_than_the_listener_takes_are_one_ring(kernel: Kernel) -> None:
    """The kernel's buffer overflowed: poll fails with ENOBUFS, which is a ring like any other."""

    class Overflown:
        def poll(self, timeout: float) -> object:
            raise OSError(105, "No buffer space available")

    bell = hotplug.UdevBell()
    bell.drain(Overflown())
    assert await bell.rung(30)


async def test_a_bell_that_is_hung_up_listens_no_more(kernel: Kernel) -> None:
    async with hotplug.listen() as bell:
        pass
    kernel.plug(cards.wctdm24xxp("oooo"), "05:04.0")
    assert not await bell.rung(0.02)


# Power


def systemctl(folder: Path, script: str) -> Systemd:
    program = folder / "systemctl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Systemd(str(program), folder)


def alive(pid_file: Path) -> bool:
    return pid_file.exists() and Path(f"/proc/{pid_file.read_text().strip()}").exists()


async def test_a_refusal_of_systemd_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(DeviceFailed, match="Interactive authentication required") as error:
        await systemctl(tmp_path, "echo Interactive authentication required >&2; exit 1").reboot("test")
    assert "polkit" in error.value.hint


async def test_a_systemd_that_gives_no_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "WITHIN_S", 0.2)
    with pytest.raises(TimedOut, match="poweroff"):
        await systemctl(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 600").power_off("test")
    assert not alive(tmp_path / "pid")


async def test_where_systemd_does_not_run_nothing_is_asked(tmp_path: Path) -> None:
    nowhere = Systemd("sh", tmp_path / "not there")
    for ask in (nowhere.reboot, nowhere.power_off):
        with pytest.raises(NotSupported, match="this system"):
            await ask("test")


async def test_a_reason_never_becomes_an_option(tmp_path: Path) -> None:
    box = systemctl(tmp_path, f'printf "%s|" "$@" > {tmp_path}/asked')
    await box.reboot("--force; reboot -f")
    assert (tmp_path / "asked").read_text() == "--no-ask-password|--message=--force; reboot -f|reboot|"
    with pytest.raises(Refused):
        await box.reboot("a\x00b")


# Assigning, as far as it goes without a kernel that does it


async def test_a_span_is_assigned_by_its_cards_own_attribute(bed: Bed, kernel: Kernel) -> None:
    kernel.plug(cards.wctdm24xxp("oo--"), "05:01.0")
    plugged = kernel.plug(cards.wct4xxp(spans=2), "05:04.0", assign=False)
    card = next(card for card in (await LinuxBox().inventory()).cards if len(card.spans) == 2)
    attribute = bed.sys / "devices" / plugged.path / "assign_span"
    attribute.touch()
    assign(card, card.spans[1], 7, 100)
    assert attribute.read_text() == "2:7:100\n"
    for number, channel, why in ((1, 100, "channels 1 … 4"), (7, 3, "channels 1 … 4"), (0, 100, "begin with 1")):
        with pytest.raises(Refused, match=f"taken: .*{why}"):
            assign(card, card.spans[1], number, channel)
    kernel.pull(plugged)
    with pytest.raises(NotThere, match="probe again"):
        assign(card, card.spans[1], 7, 100)
