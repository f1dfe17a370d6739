"""`sa800-lab run`: a box and its exchange for a person, until Ctrl-C."""

import argparse
import socket
import time

from appliance_agent.config.sample import BROWSER_NUMBERS, SAMPLE_DID
from tests.lab.box import LabError
from tests.lab.lab import Box, Lab

LOOK_EVERY_S = 1.0


def _free(port: int) -> int:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return port
    except OSError:
        return 0


def _greeting(box: Box, sample: bool) -> str:
    lines = [f"  panel        {box.panel_url}"]
    if link := box.setup_url:
        lines.append(f"  first start  {link}")
        lines.append("               (once: makes the administrator, who also gets a browser phone)")
    if sample:
        lines += [
            f"  call it      sa800-lab call --from 13800138000 --to {SAMPLE_DID} --digits 1 --talk 10",
            f"               {SAMPLE_DID} → menu: 1 service, 2 sales, 0 operator; seats {', '.join(BROWSER_NUMBERS)}",
            "  call out     9 and a number: 9075500000001 answers with a tone; …99 echo, …98 busy, …97 no answer",
        ]
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> int:
    begun = time.monotonic()
    port = _free(arguments.port)
    if not port:
        print(f"port {arguments.port} is taken: the panel gets another one", flush=True)

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} s] {text}", flush=True)

    data = arguments.data.absolute() if arguments.data else None
    with Lab(arguments.boxes, sample=not arguments.empty, data=data, port=port, say=say) as lab:
        say("ready")
        for box in lab.boxes:
            print(f"\n{box.name}\n{_greeting(box, not arguments.empty)}", flush=True)
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
