"""Every golden case is loaded by the real Asterisk without a warning, and it knows everything that we rendered."""

import re
from pathlib import Path

import pytest

from appliance_agent.render.modules import MODULES, render_modules
from appliance_agent.render.render import expected, render
from tests.golden import cases
from tests.golden.starter import Box, running

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("case", cases.NAMES)
async def test_loads_without_a_warning(case: str, root: Path, tmp_path: Path) -> None:
    desired, facts = cases.desired(case), cases.facts(case)
    files = render(desired, facts)
    if case in cases.ON_THE_BOARD:
        # No cards here: everything but the lines' own module is loaded. The board tests load that.
        files["modules.conf"] = render_modules(lines=False)
    async with running(root, files, tmp_path) as box:
        want = expected(desired, facts)
        assert await _names(box, "dialplan show", r"^\[ Context '([^']+)' created by 'pbx_config'") == want.contexts
        assert await _names(box, "pjsip show endpoints", r"^ Endpoint: +([\w-]+)(?:/\d+)? ") == want.endpoints
        assert await _names(box, "queue show", r"^(\w+) +has \d+ calls") == want.queues
        assert await _names(box, "moh show classes", r"^Class: (.+)$") == want.moh_classes
        loaded = await _names(box, "module show", r"^(\w+)\.so .* Running ")
        assert set(MODULES) <= loaded, f"not running: {set(MODULES) - loaded}"
        await box.cli("dialplan reload")
        await box.cli("pjsip reload")
        await box.cli("queue reload all")
        await box.cli("moh reload")
        assert not box.complaints()


async def test_a_broken_file_is_noticed(root: Path, tmp_path: Path) -> None:
    """The check above can fail: a wrong line makes a complaint."""
    files = render(cases.desired("full"), cases.facts("full"))
    files["extensions.conf"] += "\n[broken]\nexten => _.,1,NoOp()\n"
    async with running(root, files, tmp_path) as box:
        assert any("strongly discouraged" in line for line in box.complaints())


async def _names(box: Box, command: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, await box.cli(command), re.MULTILINE))
