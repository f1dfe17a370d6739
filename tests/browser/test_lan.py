"""A seat at a computer of the branch: the panel by HTTPS, the audio through the forwarded ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.desk import hang_up, numbers, seated
from tests.lab.lab import CHECKOUT, Lab
from tests.lab.lan import Lan, lan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]


@pytest.fixture
def branch(nothing_left: None) -> Iterator[Lan]:
    with lan(CHECKOUT) as made:
        yield made


async def test_a_call_is_answered_and_heard_on_the_branchs_network(branch: Lan, tmp_path: Path) -> None:
    caller = str(next(numbers))
    with Lab(listen=branch.listen) as lab:
        async with seated(lab, tmp_path, branch.namespace) as desk:
            assert desk.page.url.startswith(f"https://{branch.listen}:")
            assert await desk.page.evaluate("isSecureContext"), "else there is no microphone"
            call = await desk.talks(caller)
            talk = await desk.listens()
            await hang_up(call)
            await desk.no_call()
            record = await desk.api.record_of(caller)
        assert talk.page_share > 0.8, "the page hears the caller"
        assert talk.caller_share(call) > 0.8, "the caller hears the seat"
        assert (record["result"], record["extension"]) == ("answered", "1001")
