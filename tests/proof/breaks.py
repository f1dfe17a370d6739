"""BREAK=…: a real fault put into a real part, so that the proof is seen to fail."""

import subprocess

from playwright.async_api import BrowserContext

from tests.lab.lab import Box

NAMES = ("no_audio", "no_record", "no_pop", "no_report")

DROP_RTP = "table ip broken { chain in { type filter hook input priority 0; udp dport 10000-10999 drop; }; }"
NO_RECORD = "CREATE TRIGGER broken BEFORE INSERT ON call_record BEGIN SELECT RAISE(IGNORE); END"
NO_REPORT = (
    "CREATE TRIGGER broken AFTER INSERT ON call_record "
    "BEGIN UPDATE call_record SET direction = 'internal' WHERE call_id = NEW.call_id; END"
)
HIDE_POP = (
    "new MutationObserver(() => document.querySelectorAll('[data-testid=call-card]').forEach((it) => it.remove()))\
.observe(document, { childList: true, subtree: true });"
)


async def put_in(name: str, box: Box, browser: BrowserContext) -> None:
    match name:
        case "":
            return
        case "no_audio":
            subprocess.run(["ip", "netns", "exec", box.plan.namespace, "nft", DROP_RTP], check=True, timeout=10)
        case "no_record":
            _sql(box, NO_RECORD)
        case "no_report":
            _sql(box, NO_REPORT)
        case "no_pop":
            await browser.add_init_script(HIDE_POP)
        case _:
            raise SystemExit(f"BREAK={name} is not known: {', '.join(NAMES)}")


def _sql(box: Box, statement: str) -> None:
    connect = "import sqlite3, sys; box = sqlite3.connect('/var/lib/sa800/box.db', timeout=10)"
    program = f"{connect}; box.execute(sys.argv[1]); box.commit()"
    box.command("/usr/bin/python3", "-c", program, statement, user="sa800")
