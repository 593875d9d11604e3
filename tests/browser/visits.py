"""Visits to the operator pages, in a real browser.

Screenshots go to build/screenshots, to be looked at.
"""

from collections.abc import Iterator
from typing import Any

from bakery import TEMPLATE
from playwright.sync_api import Browser, Page, expect

SCREENSHOTS = TEMPLATE / "build" / "screenshots"
TOKEN = "correct-horse-battery-staple"
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 860}
PAGES = {
    "overview": "/ops",
    "list": "/ops/inbox/dead",
    "list-outbox": "/ops/outbox/published",
    "subscriptions": "/ops/subscriptions",
    "flow": "/ops/flow",
    "confirm": "/ops/action?action=discard&box=inbox&state=dead",
    "missing": "/ops/nowhere",
}


def logged_in(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A page of somebody who has logged in; it may leave no word in the console."""
    said: list[str] = []
    context = browser.new_context(base_url=url, **options)
    page = context.new_page()
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"{request.failure}: {request.url}"))
    page.on("request", lambda asked: said.extend([asked.url][asked.url.startswith(url) :]))
    page.goto("/ops")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    yield page
    context.close()
    # Pages that say what is wrong, and the icon of a page that was left at once.
    fine = ("404 (Not Found)", "401 (Unauthorized)", "422 (Unprocessable", "net::ERR_ABORTED")
    assert [text for text in said if not any(part in text for part in fine)] == []


def open_message(page: Page, key: str) -> None:
    page.goto("/ops/inbox/dead")
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(f"**key={key}**")
    open_first(page)


def open_first(page: Page) -> None:
    """Open the first message of the list; a click alone does not wait for its page."""
    page.locator("a.id").first.click()
    page.wait_for_url("**/ops/message?**")
