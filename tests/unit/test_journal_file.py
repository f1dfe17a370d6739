"""The journal's files: whole lines only, across rotation, truncation and loss."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from appliance_agent.calls import journal_file
from appliance_agent.calls.journal_file import START, Bite, JournalFault, JournalFiles, Position
from appliance_agent.calls.journal_health import folder_problem


@pytest.fixture
def files(tmp_path: Path) -> JournalFiles:
    return JournalFiles(tmp_path / "journal.jsonl")


def add(files: JournalFiles, data: bytes) -> None:
    with files.path.open("ab") as file:
        file.write(data)


def read(files: JournalFiles, at: Position) -> Bite:
    """The next bite with lines in it, or the first that changes nothing."""
    while True:
        bite = files.read(at)
        if bite.lines or bite.after == at or bite.fault:
            return bite
        at = bite.after


def test_no_file_yet(files: JournalFiles) -> None:
    assert files.read(START) == Bite((), START)


def test_only_whole_lines(files: JournalFiles) -> None:
    add(files, b"one\ntwo\nthr")
    bite = read(files, START)
    assert bite.lines == (b"one", b"two")
    assert bite.after.offset == 8
    assert read(files, bite.after).lines == ()
    add(files, b"ee\n")
    assert read(files, bite.after).lines == (b"three",)


def test_one_bite_is_bounded(files: JournalFiles) -> None:
    add(files, b"".join(b"%0999d\n" % n for n in range(1000)))
    at = START
    seen: list[bytes] = []
    while (bite := read(files, at)).lines:
        assert sum(map(len, bite.lines)) <= journal_file.READ_BYTES
        seen += bite.lines
        at = bite.after
    assert [int(line) for line in seen] == list(range(1000))


def test_garbage_without_an_end_does_not_stop_us(files: JournalFiles) -> None:
    add(files, b"x" * 200_000)
    assert read(files, START).after.offset == 200_000


def test_rotation_finishes_the_old_file_first(files: JournalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    add(files, b"a\nb\n")
    at = read(files, START).after
    files.rotate(at)
    late = files.rotated(1).open("ab")  # Asterisk had opened it before the rename
    add(files, b"d\n")
    assert read(files, at).lines == ()
    late.write(b"c\n")
    late.close()
    bite = read(files, at)
    assert bite.lines == (b"c",)
    monkeypatch.setattr(journal_file, "LINGER_S", 0.0)
    bite = read(files, bite.after)
    assert bite.lines == (b"d",)
    assert bite.after.generation == 2
    assert bite.fault is None


def test_the_torn_end_of_a_rotated_file_is_given_up(files: JournalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    add(files, b"a\ntorn")
    at = read(files, START).after
    files.rotate(at)
    add(files, b"b\n")
    monkeypatch.setattr(journal_file, "LINGER_S", 0.0)
    bite = read(files, at)
    assert bite.lines == (b"torn",)
    assert read(files, bite.after).lines == (b"b",)


def test_old_files_are_dropped(files: JournalFiles) -> None:
    at = START
    for generation in range(1, 13):
        add(files, b"x\n")
        at = replace(at, generation=generation, inode=files.path.stat().st_ino)
        files.rotate(at)
    kept = sorted(int(path.name.split(".")[1]) for path in files.path.parent.iterdir())
    assert kept == list(range(13 - journal_file.KEPT_FILES, 13))


def test_rotation_is_due_by_size(files: JournalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "ROTATE_BYTES", 10)
    add(files, b"12345678\n")
    at = read(files, START).after
    assert not files.rotation_due(at)
    add(files, b"1\n")
    assert files.rotation_due(at)
    files.rotate(at)
    assert not files.rotation_due(at), "not while the renamed file is being read"


def test_truncated_and_replaced(files: JournalFiles) -> None:
    add(files, b"a\nb\nc\n")
    at = read(files, START).after
    os.truncate(files.path, 0)
    add(files, b"d\n")
    bite = read(files, at)
    assert bite.fault is JournalFault.TRUNCATED
    assert read(files, bite.after).lines == (b"d",)
    other = files.path.with_name("other")
    other.write_bytes(b"e\n")
    other.rename(files.path)
    bite = read(files, bite.after)
    assert bite.fault is JournalFault.REPLACED
    assert read(files, bite.after).lines == (b"e",)
    files.path.unlink()
    assert read(files, bite.after).lines == ()


def test_a_row_of_ours_is_one_line_that_asterisk_may_append_to(files: JournalFiles) -> None:
    before = os.umask(0o077)
    try:
        files.append(b"row\n")
    finally:
        os.umask(before)
    assert files.path.stat().st_mode & 0o777 == 0o664
    files.append(b"next\n")
    assert files.path.read_bytes() == b"row\nnext\n"


def test_what_keeps_the_journal_from_being_written(tmp_path: Path) -> None:
    path = tmp_path / "cel-custom/journal.jsonl"
    assert "does not exist" in folder_problem(path, "root")
    path.parent.mkdir(mode=0o755)
    assert folder_problem(path, "root") == ""
    assert folder_problem(path, "no-such-user") == ""
    if os.geteuid() == 0:
        assert "not writable for nobody" in folder_problem(path, "nobody")
        path.parent.chmod(0o777)
        path.touch(mode=0o644)
        assert "journal.jsonl is not writable for nobody" in folder_problem(path, "nobody")
