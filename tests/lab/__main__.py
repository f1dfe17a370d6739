"""`python -m tests.lab run | call | list`, also installed as `sa800-lab`."""

import argparse
import sys
from pathlib import Path

from hal.errors import HalError
from hal.sim.words import STEPS_HINT
from tests.lab.box import LabError
from tests.lab.forward import LOOPBACK, ListenError
from tests.lab.lab import ended_by_signals
from tests.lab.network import NetworkError
from tests.lab.permitted import NotPermittedError
from tests.lab.waiting import TooLate


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sa800-lab", description="Boxes and an emulated public exchange.")
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("run", help="start a box with its exchange, until Ctrl-C")
    run.add_argument("--port", type=int, default=8800, help="the panel's port (on loopback another one when taken)")
    run.add_argument("--listen", default=LOOPBACK, metavar="ADDRESS", help="of this machine: HTTPS, SIP, audio")
    run.add_argument("--data", type=Path, help="keep the boxes' data in this folder; without it, it is gone at the end")
    run.add_argument("--boxes", type=int, default=1)
    run.add_argument("--cards", default="", help='simulated telephone cards, such as "e1:4 fxo:4 fxs:4"')
    run.add_argument("--empty", action="store_true", help="no sample configuration")
    call = actions.add_parser("call", help="a subscriber of the running lab's exchange calls a box")
    call.add_argument("--from", dest="from_", default="13800138000", metavar="NUMBER", help="caller's number")
    call.add_argument("--to", required=True, metavar="NUMBER", help="dialled number, such as 075588886666")
    call.add_argument("--digits", default="", help="keyed when the menu was heard")
    call.add_argument("--digits-after", type=float, metavar="S", help="keyed so many seconds after the answer instead")
    call.add_argument("--talk", type=float, default=10.0, metavar="S", help="seconds to talk once a person answered")
    call.add_argument("--patience", type=float, default=90.0, metavar="S", help="seconds to wait for a person")
    call.add_argument("--audio", type=Path, help="what the caller says (any sound file); a steady tone otherwise")
    call.add_argument("--name", default="", help="caller's name")
    call.add_argument("--box", default="box1")
    call.add_argument("--lab", type=int, help="number of the lab, when several run")
    happens = actions.add_parser("cards", help="let something happen to simulated cards: cards alarm 1 red")
    happens.add_argument("step", nargs="+", metavar="WORD", help=STEPS_HINT)
    happens.add_argument("--box", default="box1")
    happens.add_argument("--lab", type=int, help="number of the lab, when several run")
    actions.add_parser("list", help="the running labs")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    # Imported late: `list` and `--help` answer at once.
    match arguments.action:
        case "run":
            from tests.lab.run import run

            return run(arguments)
        case "call":
            from tests.lab.call import call

            return call(arguments)
        case "cards":
            from tests.lab.call import happens

            happens(arguments.lab, arguments.box, " ".join(arguments.step))
            return 0
        case _:
            from tests.lab import records

            for record in records.running():
                boxes = " ".join(f"{name} {facts['panel']}" for name, facts in record.facts.get("boxes", {}).items())
                print(f"lab {record.number}: {boxes or 'starting'}")
            return 0


if __name__ == "__main__":
    try:
        with ended_by_signals():
            sys.exit(main())
    except (HalError, LabError, ListenError, NetworkError, NotPermittedError, TooLate, ValueError) as error:
        sys.exit(f"sa800-lab: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
