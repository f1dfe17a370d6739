"""The core's own programs: allocations, the fuzz corpus, the bench; and that a sanitizer would be heard."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path(__file__).parent / "corpus"


def said(*command: str | Path) -> Any:
    """The last line of a program's output, as JSON."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])


def test_no_allocation_on_the_audio_path(programs: Path, sanitized: bool) -> None:
    if sanitized:  # its malloc is the sanitizer's: there is no probe
        assert not (programs / "alloc_probe").exists()
        return
    counted = said(programs / "alloc_probe")
    assert counted["control"] == 2, "malloc and free are seen"
    assert counted["events"] > 200, "everything was busy"
    assert counted["allocations"] == 0


def test_the_engine_allocates_only_when_it_opens_and_each_failure_is_an_error(programs: Path, sanitized: bool) -> None:
    if sanitized:
        assert not (programs / "engine_alloc").exists()
        return
    told = said(programs / "engine_alloc")
    assert told["failed_opens"] == 3, "itself, its slots, its rings: each failed once, was told, and left nothing"
    assert (told["allocations"], told["left"]) == (0, 0)
    assert told["blocks"] == 1600 and told["events"] > 50, "it was busy meanwhile"


def test_the_engine_runs_all_kinds_of_jobs_again_and_again(programs: Path) -> None:
    told = said(programs / "engine_run")
    assert told["failed"] == 0 and told["blocks"] == 2400 and told["recorded"] > 0


@pytest.mark.parametrize("target", sorted(path.name for path in CORPUS.iterdir()))
def test_the_fuzz_corpus_is_replayed(programs: Path, target: str) -> None:
    files = sorted((CORPUS / target).iterdir())
    assert files
    done = subprocess.run(
        [programs / f"replay_{target}", *files], check=False, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, f"{len(files)} replayed\n"), done.stderr


def test_every_fuzz_target_has_a_corpus(programs: Path) -> None:
    targets = {path.name.removeprefix("replay_") for path in programs.glob("replay_*")}
    assert targets == {path.name for path in CORPUS.iterdir()}


def test_a_sanitized_build_hears_an_overflow_and_the_plain_one_does_not(programs: Path, sanitized: bool) -> None:
    done = subprocess.run([programs / "overflow"], check=False, capture_output=True, text=True, timeout=120)
    assert (done.returncode != 0) == sanitized
    assert ("signed integer overflow" in done.stderr) == sanitized


def test_the_bench_tells_its_figures_beside_spandsps(programs: Path) -> None:
    """Not how fast: machines differ, and this one may be busy."""
    figures = said(programs / "bench")
    assert figures["channels"] == 360
    ours = {"g711_decode_encode", "dtmf", "r2", "busy", "busy_and_dtmf", "spandsp_dtmf", "spandsp_r2"}
    assert all(figures[name] > 0 for name in ours)
    assert figures["share_of_core_360"] == pytest.approx(figures["busy_and_dtmf"] * 360 / 20e6, abs=1e-3)
