"""`sa800-lab run`: a box and its exchange for a person, until Ctrl-C."""

import argparse
import time

from appliance_agent.config.sample import BROWSER_NUMBERS, SAMPLE_DID
from hal.errors import HalError
from hal.sim import words
from tests.lab.box import LabError
from tests.lab.forward import ListenError, is_free, outside
from tests.lab.lab import Box, Lab

LOOK_EVERY_S = 1.0


def _port(listen: str, port: int) -> int:
    """0: any free one. Beyond loopback people have written the address down: there nothing is chosen for them."""
    there = outside(listen)
    if is_free(listen, port):
        return port
    if there is not None:
        raise ListenError(f"LISTEN={listen}: port {port} is taken; choose another: RUN_ARGS='--port {port + 1}'")
    print(f"port {port} is taken: the panel gets another one", flush=True)
    return 0


def _greeting(box: Box, sample: bool, cards: str) -> str:
    lines = [f"  panel        {box.panel_url}"]
    if box.https:
        lines.append("               (own certificate: the browser warns once; its SHA-256 must be")
        lines += [f"                {half}" for half in (box.fingerprint()[:48], box.fingerprint()[48:])]
        lines[-1] += ")"
    if link := box.setup_url:
        lines.append(f"  first start  {link}")
        lines.append("               (once: makes the administrator, who also gets a browser phone)")
    if sample:
        lines += [
            f"  call it      sa800-lab call --from 13800138000 --to {SAMPLE_DID} --digits 1 --talk 10",
            f"               {SAMPLE_DID} → menu: 1 service, 2 sales, 0 operator; seats {', '.join(BROWSER_NUMBERS)}",
            "  call out     9 and a number: 9075500000001 answers with a tone; …99 echo, …98 busy, …97 no answer",
        ]
    if cards:
        lines.append("  its cards    simulated; sa800-lab cards alarm 1 red, … alarm 1 (over), … pull pci:0000:05:00.0")
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> int:
    begun = time.monotonic()
    port = _port(arguments.listen, arguments.port)

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} s] {text}", flush=True)

    data = arguments.data.absolute() if arguments.data else None
    try:
        words.cards(arguments.cards)
    except HalError as error:
        raise LabError(f"CARDS: {error}") from error
    lab = Lab(
        arguments.boxes, sample=not arguments.empty, data=data, listen=arguments.listen, port=port,
        cards=arguments.cards, say=say,
    )  # fmt: skip
    with lab:
        say("ready")
        for box in lab.boxes:
            print(f"\n{box.name}\n{_greeting(box, not arguments.empty, arguments.cards)}", flush=True)
        print("\nCtrl-C ends and removes it all.", flush=True)
        try:
            while True:
                time.sleep(LOOK_EVERY_S)
                for machine in [lab.exchange, *lab.boxes]:
                    _ = machine.init_pid  # raises LabError when it died
        except KeyboardInterrupt:
            print("\nstopping …", flush=True)
        except LabError as error:
            print(error, flush=True)
            return 1
    return 0
