"""python3 -m linesim PORT FLASH_MS CHANNEL…: holds these channels and follows the scripts that come over TCP.

JSON lines. In: {"load": name, "bytes": n} and n bytes of sound; {"run": channel, "script": [{"do": step, …}, …]};
{"stop": channel}. Out: {"event": "ready"} first, then what happens on the channels (line.py). One connection at a time.
"""

import json
import socketserver
import sys
import threading
from typing import Any

from .channel import Channel
from .line import Line


class Simulator:
    def __init__(self, channels: list[int], flash_ms: int) -> None:
        self.sounds: dict[str, bytes] = {}
        self._lock = threading.Lock()
        """Guards the connection's writer."""
        self._out: Any = None
        self._lines = {number: self._line(number, flash_ms) for number in channels}
        self._threads: dict[int, threading.Thread] = {}

    def _line(self, number: int, flash_ms: int) -> Line:
        def tell(event: str, **more: Any) -> None:
            self.tell({"event": event, "channel": number, **more})

        return Line(Channel(number, flash_ms), self.sounds, tell)

    def tell(self, message: dict[str, Any]) -> None:
        with self._lock:
            if self._out is not None:
                self._out.write(json.dumps(message).encode() + b"\n")

    def serve(self, reader: Any, writer: Any) -> None:
        with self._lock:
            self._out = writer
        self.tell({"event": "ready"})
        for line in reader:
            request = json.loads(line)
            if "load" in request:
                self.sounds[request["load"]] = reader.read(request["bytes"])
            elif "run" in request:
                self._run(request["run"], request["script"])
            else:
                self._lines[request["stop"]].stop()

    def _run(self, number: int, script: list[dict[str, Any]]) -> None:
        before = self._threads.get(number)
        if before is not None:
            before.join()  # its last event was told, it is about to end
        thread = threading.Thread(target=self._lines[number].run, args=(script,), daemon=True)
        self._threads[number] = thread
        thread.start()


def handler(simulator: Simulator) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            simulator.serve(self.rfile, self.wfile)

    return Handler


class Server(socketserver.TCPServer):
    allow_reuse_address = True


def main() -> None:
    port, flash_ms, *channels = map(int, sys.argv[1:])
    with Server(("0.0.0.0", port), handler(Simulator(channels, flash_ms))) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
