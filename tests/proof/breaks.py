"""BREAK=…: a real fault put into a real part, so that the proof is seen to fail."""

import subprocess

from playwright.async_api import BrowserContext

from tests.lab.lab import Box, Lab

NAMES = ("no_audio", "no_record", "no_pop", "no_report")

DROP_RTP = (
    "table ip broken {{ "
    "chain in {{ type filter hook input priority 0; ip saddr {0} udp dport 10000-10999 drop; }}; "
    "chain out {{ type filter hook output priority 0; ip daddr {0} udp sport 10000-10999 drop; }}; }}"
)
"""Between box and exchange, both ways."""
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
            return  # put in when the talk begins: the digit is in the audio's stream too
        case "no_record":
            _sql(box, NO_RECORD)
        case "no_report":
            _sql(box, NO_REPORT)
        case "no_pop":
            await browser.add_init_script(HIDE_POP)
        case _:
            raise SystemExit(f"BREAK={name} is not known: {', '.join(NAMES)}")


def put_into_talk(name: str, lab: Lab) -> None:
    """Once the seat has answered."""
    if name == "no_audio":
        rules = DROP_RTP.format(lab.exchange.address)
        subprocess.run(["ip", "netns", "exec", lab.box().plan.namespace, "nft", rules], check=True, timeout=10)


def _sql(box: Box, statement: str) -> None:
    connect = "import sqlite3, sys; box = sqlite3.connect('/var/lib/sa800/box.db', timeout=10)"
    program = f"{connect}; box.execute(sys.argv[1]); box.commit()"
    box.command("/usr/bin/python3", "-c", program, statement, user="sa800")
