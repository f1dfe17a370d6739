"""A kernel that panics before its first program is told and started once more; one that does it again is an error."""

import os
from pathlib import Path

import pytest
from labgrid import Environment, Target
from labgrid.strategy import StrategyError

HERE = Path(__file__).resolve().parent
PANIC = "rdinit=/missing rootwait=1"
"""Kernel parameters: no first program, no root file system either."""
ONCE = f"""\
#!/bin/sh
# QEMU whose first board panics: mkdir succeeds once.
if [ "$1" != -version ] && mkdir "$0.once" 2>/dev/null; then
  for word; do
    shift
    case $word in *console=*) word="$word {PANIC}" ;; esac
    set -- "$@" "$word"
  done
fi
exec '{HERE}/qemu' "$@"
"""


def test_one_panic_is_forgiven(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = tmp_path / "qemu"
    script.write_text(ONCE)
    script.chmod(0o755)
    environment = Environment(os.environ["LG_ENV"])
    environment.config.data["tools"]["qemu"] = str(script)
    target = environment.get_target()
    try:
        strategy = target.get_driver("BoardStrategy")
        strategy.transition("kernel")
        assert len(strategy.panics) == 1
        assert "boot 1: Kernel panic - not syncing" in caplog.text
        assert target.get_driver("ShellDriver").run_check("echo here") == ["here"]
    finally:
        target.cleanup()


def test_two_panics_are_an_error() -> None:
    environment = Environment(os.environ["LG_ENV"])
    environment.config.data["targets"]["main"]["drivers"]["QEMUDriver"]["boot_args"] += f" {PANIC}"
    target: Target = environment.get_target()
    try:
        strategy = target.get_driver("BoardStrategy")
        with pytest.raises(StrategyError) as raised:
            strategy.transition("kernel")
        assert len(strategy.panics) == 2
        assert "twice in a row" in str(raised.value.__cause__)
    finally:
        target.cleanup()
