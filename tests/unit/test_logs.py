"""What reaches the box's journal: our own words, what was asked of cards, and no chatter of libraries."""

import json
import subprocess
import sys

PROGRAM = """
import logging, structlog
from appliance_agent.kernel.logs import log_as_json
log_as_json("agent")
structlog.get_logger().info("ours")
logging.getLogger("hal.dahdi").info("DAHDI_CHANCONFIG channel %d", 97)
logging.getLogger("a.library").info("chatter")
logging.getLogger("a.library").warning("trouble")
"""


def test_what_is_asked_of_cards_is_told() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=subprocess.PIPE, text=True).stdout
    events = [json.loads(line)["event"] for line in told.splitlines()]
    assert sorted(events) == ["DAHDI_CHANCONFIG channel 97", "ours", "trouble"]
