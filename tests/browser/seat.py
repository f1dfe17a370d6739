"""What a person does at the panel, by the controls' test ids."""

from playwright.async_api import Page, expect

from tests.box.api import PASSWORD
from tests.lab.lab import Box


async def first_start(page: Page, box: Box, login: str = "boss", name: str = "王主管") -> None:
    """Follows the one-time link and makes the first administrator."""
    assert box.setup_url is not None, "the box has an administrator already"
    await page.goto(box.setup_url)
    await page.get_by_test_id("input-name").fill(name)
    await page.get_by_test_id("input-login").fill(login)
    await page.get_by_test_id("input-password").fill(PASSWORD)
    await page.get_by_test_id("input-password-again").fill(PASSWORD)
    await page.get_by_test_id("btn-setup").click()
    await page.get_by_test_id("btn-take-seat").click()


async def log_in(page: Page, box: Box, login: str) -> None:
    await page.goto(f"{box.panel_url}/login")
    await page.get_by_test_id("input-login").fill(login)
    await page.get_by_test_id("input-password").fill(PASSWORD)
    await page.get_by_test_id("btn-login").click()
    await page.wait_for_url(lambda url: "/login" not in url)


async def take_seat(page: Page) -> None:
    """At the desk: phone registered, seat idle."""
    seat = page.get_by_test_id("desk-state")
    await seat.wait_for()
    # The link of the first start takes the seat by itself; its button is there only for a moment.
    if "seat=take" not in page.url and await seat.get_attribute("data-state") == "offline":
        await page.get_by_test_id("btn-seat-login").click()
    await expect(seat).to_have_attribute("data-state", "idle", timeout=30_000)
    await expect(page.get_by_test_id("phone-state")).to_have_attribute("data-state", "registered", timeout=30_000)
