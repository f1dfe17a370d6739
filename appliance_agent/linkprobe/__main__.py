"""`python3 -m appliance_agent.linkprobe`: one end of one probe. The agent starts it, and closes its input to stop it.

The order comes as a line of JSON; what is heard goes out as lines of JSON. Low priority and a bound of processor time:
calls come first.
"""

import argparse
import json
import os
import resource
import socket
import sys
from typing import Any

from appliance_agent.linkprobe.answerer import Answerer
from appliance_agent.linkprobe.caller import Caller, Failed, Order
from appliance_agent.linkprobe.door import Opened
from appliance_agent.linkprobe.plan import SECONDS, Step
from appliance_agent.linkprobe.result import Heard, view

NICE = 10
PROCESSOR_S = SECONDS
"""Of computing, at most: ten times what thirty streams take."""


def call(order: dict[str, Any]) -> None:
    """{host, port, secret, steps: [[streams, seconds]], in_spite_of_calls} → lines {heard} or {ended}."""

    def tell(heard: Heard) -> None:
        _say({"heard": view(heard)})

    steps = tuple(Step(*pair) for pair in order["steps"])
    made = Order(order["host"], order["port"], order["secret"], steps, order["in_spite_of_calls"])
    try:
        _say({"ended": "done" if Caller(made, tell, sys.stdin.fileno()).run() else "heavy_loss"})
    except Failed as failed:
        _say({"ended": failed.why.value, "calls": failed.calls})


def answer(order: dict[str, Any]) -> None:
    """{door: file descriptor of the socket, key, answer, ask, source, steps}."""
    steps = tuple(Step(*pair) for pair in order["steps"])
    key, told, ask = (bytes.fromhex(order[name]) for name in ("key", "answer", "ask"))
    host, port = order["source"]
    with socket.socket(fileno=order["door"]) as door:
        Answerer(door, Opened("", key, told, ask, (host, port), steps)).run(sys.stdin.fileno())


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m appliance_agent.linkprobe", description=__doc__)
    parser.add_argument("end", choices=("call", "answer"))
    end = parser.parse_args().end
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S + 5))
    # Read without a buffer: what comes later is for select to see.
    order = json.loads(_line(sys.stdin.fileno()))
    (call if end == "call" else answer)(order)
    return 0


def _line(file: int) -> bytes:
    read = b""
    while not read.endswith(b"\n") and (more := os.read(file, 65536)):
        read += more
    return read


if __name__ == "__main__":
    sys.exit(main())
