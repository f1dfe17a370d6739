"""Secrets of browser sessions in a real PJSIP: at once there, at once gone, put back after they were lost."""

from pathlib import Path

import pytest

from appliance_agent.kernel.events import AsteriskUp
from appliance_agent.store.tables import session
from tests.box.house import BROWSER, SIP, House, house

pytestmark = pytest.mark.lab


async def registers(made: House, secret: str) -> bool:
    """Asked of the registrar by a phone with that secret."""
    mark = made.seats_phones.mark()
    await made.seats_phones.send("add", ext=BROWSER, domain=SIP, secret=secret, tone_hz=700)
    answer = await made.seats_phones.wait("registered", ext=BROWSER, since=mark)
    return bool(answer["code"] == 200)


async def test_a_secret_counts_at_once_and_the_old_one_no_longer(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        assert not await registers(made, "first-secret")
        await made.web_phones.set_secret(BROWSER, "first-secret")
        assert await registers(made, "first-secret")
        await made.web_phones.set_secret(BROWSER, "second-secret")
        assert not await registers(made, "first-secret")
        assert await registers(made, "second-secret")
        await made.web_phones.forget(BROWSER)
        assert not await registers(made, "second-secret")
        await made.web_phones.forget(BROWSER)  # there is none: no fault


async def test_what_asterisk_lost_is_put_back(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.web_phones.set_secret(BROWSER, "kept-secret")
        await made.box.cli("database deltree ps_auths")
        assert not await registers(made, "kept-secret")
        # Only now: the service may still be at its work for the first start, and would put it back.
        async with made.database.write() as connection:
            await connection.execute(
                session.insert().values(
                    id="s1", user_id=BROWSER, role="agent", extension=BROWSER, sip_username=BROWSER,
                    sip_secret="kept-secret", created_us=1, seen_us=1, expires_us=2, address="127.0.0.1",
                )
            )  # fmt: skip
        mark = len(made.events)
        await made.control.restart(limit_s=20)
        await made.seen(lambda event: isinstance(event, AsteriskUp), since=mark)
        await made.web_phones.replay()  # the service does it too; twice does no harm
        assert await registers(made, "kept-secret")
