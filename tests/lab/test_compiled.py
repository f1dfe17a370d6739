"""The compiled part as it is laid over a box's root: the box's own Python runs it, as the agent's user."""

import json

import pytest

from tests.lab.lab import Lab

pytestmark = pytest.mark.lab

PROGRAM = """
import errno, json
from voicecore import receivers, tones
from voicecore.dahdi_channel import Channel
from voicecore.dahdi_error import DahdiError
dialler, hearer = tones.Dialler(), receivers.DtmfReceiver()
dialler.put("159#")
heard = ""
while block := dialler.read():
    heard += "".join(event.signal for event in hearer.feed(block) if event.began)
try:
    Channel(1)
except DahdiError as error:
    print(json.dumps({"heard": heard, "errno": error.errno, "said": str(error)}))
"""


def test_a_box_hears_digits_and_knows_that_it_has_no_dahdi(nothing_left: None) -> None:
    with Lab().open(ready=False) as lab:
        path = "PYTHONPATH=/usr/lib/sa800"
        told = json.loads(lab.box().command("env", path, "python3", "-c", PROGRAM, user="sa800"))
    assert told["heard"] == "159#"
    assert told["errno"] == 2 and "modules are not loaded" in told["said"]
