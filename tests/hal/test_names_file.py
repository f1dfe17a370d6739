"""The file of names: whole or not at all, and never lost by a bad byte."""

import json
import multiprocessing
import subprocess
import sys
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import given

from hal.errors import NamesDamaged, NamesTooNew, TimedOut
from hal.lock import hold
from hal.model.inventory import Card
from hal.model.lines import Names, name_lines
from hal.names_file import NamesFile, from_json, to_json
from tests.hal.boxes import EVERY, card, cards, numbered

LIMIT_S = 60.0


def some_names(ports: str = "oosE") -> Names:
    return name_lines(Names(), numbered([card(1, ports, serial="甲"), card(2, "s")])).names


@pytest.fixture
def file(tmp_path: Path) -> NamesFile:
    return NamesFile(tmp_path / "lines.json")


@EVERY
@given(cards())
def test_what_is_written_is_read(box: list[Card]) -> None:
    names = name_lines(Names(), numbered(box)).names
    assert from_json(to_json(names)) == names


def test_no_file_means_no_names(file: NamesFile) -> None:
    assert file.load() == Names()


def test_saved_names_are_loaded_and_the_version_before_is_kept(file: NamesFile) -> None:
    first, second = some_names(), some_names("o")
    file.save(first)
    file.save(second)
    assert file.load() == second
    assert from_json(file.before.read_text()) == first
    assert sorted(path.name for path in file.path.parent.iterdir()) == [
        "lines.json",
        "lines.json.before",
        "lines.json.lock",
    ]


def test_saving_the_same_does_not_push_the_version_before_out(file: NamesFile) -> None:
    first, second = some_names(), some_names("o")
    file.save(first)
    file.save(second)
    file.save(second)
    assert from_json(file.before.read_text()) == first


DAMAGES = {
    "empty": "",
    "cut": to_json(some_names())[:200],
    "not an object": "[]",
    "binary": "\x00\x01",
    "deep": "[" * 100_000,
    "no version": '{"cards": []}',
    "version true": '{"version": true, "cards": []}',
    "version 0": '{"version": 0, "cards": []}',
    "a name twice": to_json(some_names()).replace('"number": 2', '"number": 1').replace("fxo-2", "fxo-1"),
    "another name than its number": to_json(some_names()).replace('"name": "fxo-2"', '"name": "fxo-9"'),
    "a kind that is none": to_json(some_names()).replace('"kind": "fxs"', '"kind": "empty"').replace("fxs-", "empty-"),
    "a string for a number": to_json(some_names()).replace('"span": 1', '"span": "1"'),
    "a card twice": json.dumps({"version": 1, "cards": 2 * json.loads(to_json(some_names("")))["cards"][:1]}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_an_error_that_touches_nothing(file: NamesFile, damage: str) -> None:
    file.path.write_text(damage)
    with pytest.raises(NamesDamaged) as error:
        file.load()
    assert str(file.path) in error.value.message and "recover" in error.value.hint
    with pytest.raises(NamesDamaged):
        file.save(some_names())
    assert file.path.read_text() == damage


def test_recovery_sets_the_damaged_file_aside_and_takes_the_version_before(file: NamesFile) -> None:
    good = some_names()
    file.save(good)
    file.save(some_names("o"))
    file.path.write_text("broken")
    recovered = file.recover()
    assert recovered is not None
    assert (recovered.names, recovered.from_before) == (good, True)
    assert recovered.set_aside.read_text() == "broken"
    assert file.load() == good
    file.save(some_names("ss"))
    assert file.load() == some_names("ss")


def test_recovery_without_a_version_before_begins_anew_and_keeps_both_files(file: NamesFile) -> None:
    file.path.write_text("broken")
    file.before.write_text("broken too")
    recovered = file.recover()
    assert recovered is not None
    assert (recovered.names, recovered.from_before) == (Names(), False)
    assert recovered.set_aside.read_text() == "broken"
    assert file.before.read_text() == "broken too"
    assert file.load() == Names()


def test_a_second_damage_never_overwrites_the_first(file: NamesFile) -> None:
    kept = []
    for text in ("first", "second"):
        file.path.write_text(text)
        recovered = file.recover()
        assert recovered is not None
        kept.append(recovered.set_aside)
    assert [path.read_text() for path in kept] == ["first", "second"]


def test_a_good_file_is_not_recovered(file: NamesFile) -> None:
    file.save(some_names())
    assert file.recover() is None


def test_a_newer_release_s_file_is_neither_read_nor_set_aside(file: NamesFile) -> None:
    text = to_json(some_names()).replace('"version": 2', '"version": 3')
    file.path.write_text(text)
    for attempt in (file.load, file.recover, lambda: file.save(Names())):
        with pytest.raises(NamesTooNew, match="newer release"):
            attempt()
    assert file.path.read_text() == text


def test_a_write_that_fails_leaves_the_file_as_it_was(file: NamesFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up: fsync fails. (Nothing but a patched call fills a disk here.)"""
    file.save(some_names())

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hal.names_file.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        file.save(some_names("o"))
    monkeypatch.undo()
    assert file.load() == some_names()


ROUNDS = 12


def name_cards(path: Path, who: str, together: Barrier) -> None:
    """What a process does in which a new card is seen in each round."""
    for number in range(ROUNDS):
        together.wait(timeout=LIMIT_S)
        NamesFile(path).name(numbered([card(1, "os", serial=f"{who}{number}")]))


def test_two_processes_that_name_cards_at_the_same_time_lose_none(file: NamesFile) -> None:
    processes = multiprocessing.get_context("spawn")
    together = processes.Barrier(2)
    both = [processes.Process(target=name_cards, args=(file.path, who, together)) for who in ("agent", "root")]
    for process in both:
        process.start()
    for process in both:
        process.join(LIMIT_S)
        assert process.exitcode == 0
    lines = file.load().lines
    assert len(lines) == len({line.name for line in lines}) == 2 * 2 * ROUNDS


def test_a_lock_that_is_not_let_go_is_an_error_after_the_limit(file: NamesFile) -> None:
    with hold(file.path, 0), pytest.raises(TimedOut, match=r"another process has held .*lines\.json\.lock for 0\.1 s"):
        hold(file.path, 0.1)
    hold(file.path, 0).close()


def test_the_end_of_a_process_lets_go(file: NamesFile) -> None:
    script = "import sys, pathlib, hal.lock as l; held = l.hold(pathlib.Path(sys.argv[1]), 0); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, file.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(TimedOut):
            hold(file.path, 0)
        process.kill()
        hold(file.path, LIMIT_S).close()
