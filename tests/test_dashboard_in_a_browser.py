"""The operator pages in a real browser: what a person sees, with a mouse, a keyboard or a phone.

Screenshots go to build/screenshots, to be looked at.
"""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from bakery import TEMPLATE
from busy_day import CREATED, fill
from conftest import Baked
from playwright.sync_api import Browser, Page, expect, sync_playwright
from service import Service

# One browser and one service for all of them.
pytestmark = pytest.mark.xdist_group("browser")
SCREENSHOTS = TEMPLATE / "build" / "screenshots"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
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


@pytest.fixture(scope="module")
def url(baked: Baked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that runs, with some orders done, some messages dead and a day behind it."""
    database = tmp_path_factory.mktemp("service") / "service.db"
    settings = {"OPS_TOKEN": TOKEN, "OUTBOX_POLL_INTERVAL": "0.2"}
    address = f"sqlite+aiosqlite:///{database}"
    service = Service(baked("sqlite", "memory"), address, "memory://", **settings)
    service.migrate()
    fill(database)
    with service.started(ready=True):
        for number in range(6):
            service.post("/orders", {"customer": "ada", "amount": f"{10 + number * 300}.00"})
        yield service.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; without it the tests are skipped, and fail in CI."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        sentence = "chromium is missing: install it, or name another one in CHROMIUM."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """Logged in, on a desktop. No test may leave a word in the console."""
    yield from _logged_in(browser, url, viewport=DESKTOP)


@pytest.fixture
def phone(browser: Browser, url: str) -> Iterator[Page]:
    yield from _logged_in(browser, url, viewport=PHONE, has_touch=True, device_scale_factor=2)


def _logged_in(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
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
    page.locator("a.id").first.click()


def test_a_wrong_token_is_told_and_the_right_one_leads_to_the_page_that_was_asked_for(
    browser: Browser, url: str
) -> None:
    page = browser.new_page(base_url=url)
    page.goto("/ops/inbox/dead?key=ada")
    assert page.url.startswith(f"{url}/ops/login?")
    page.get_by_label("Token").fill("not the token at all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That is not the token.")
    page.screenshot(path=SCREENSHOTS / "login.png")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/ops/inbox/dead?key=ada")
    page.get_by_role("button", name="Log out").click()
    page.goto("/ops")
    expect(page.get_by_label("Token")).to_be_visible()
    page.close()


def test_the_overview_tells_what_waits_what_died_and_who_works(page: Page) -> None:
    expect(page.get_by_role("link", name="Dead letters")).to_contain_text("26")
    expect(page.get_by_role("link", name="Refused")).to_contain_text("2")
    expect(page.get_by_role("img", name="Published")).to_be_visible()
    assert page.locator(".chart.published rect").count() > 50
    expect(page.locator("tr.silent")).to_contain_text("it has ended, or hangs")
    page.get_by_text("These numbers as a table").click()
    expect(page.get_by_role("columnheader", name="Handled")).to_be_visible()
    page.get_by_role("link", name="Last hour").click()
    expect(page.get_by_role("link", name="Last hour")).to_have_attribute("aria-current", "true")


def test_the_overview_keeps_itself_up_to_date_until_it_is_paused(page: Page) -> None:
    page.clock.install()
    page.goto("/ops")
    with page.expect_response("**/ops"):
        page.clock.run_for(11_000)
    page.get_by_role("button", name="Pause").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    assert asked == []
    page.get_by_role("button", name="Go on").click()
    with page.expect_response("**/ops"):
        page.clock.run_for(11_000)


def test_a_list_can_be_filtered_and_leads_to_a_message(page: Page) -> None:
    open_message(page, "key-3")
    expect(page.get_by_role("heading", level=1)).to_have_text(CREATED)
    expect(page.locator("pre").first).to_contain_text('"customer": "customer 3"')
    expect(page.get_by_role("heading", name="Last error")).to_be_visible()


def test_pages_of_a_list_lead_on_and_back_to_the_first(page: Page) -> None:
    page.goto("/ops/outbox/published")
    first = page.locator("a.id").first.inner_text()
    page.get_by_role("link", name="Next").click()
    assert page.locator("a.id").first.inner_text() != first
    page.get_by_role("link", name="First page").click()
    assert page.locator("a.id").first.inner_text() == first


def test_the_chain_of_a_message_leads_from_node_to_node(page: Page) -> None:
    page.goto("/ops/inbox/handled")
    page.locator("a.id").first.click()
    nodes = page.locator("svg.drawing a")
    assert nodes.count() >= 5
    page.screenshot(path=SCREENSHOTS / "message-chain.png", full_page=True)
    before = page.url
    page.locator("svg.drawing a:not(.current)").last.click()
    page.wait_for_url(lambda now: now != before)
    expect(page.locator("svg.drawing a.current")).to_have_count(1)


def test_a_message_is_replayed_after_a_confirmation(page: Page) -> None:
    open_message(page, "key-5")
    page.get_by_role("link", name="Replay").click()
    expect(page.get_by_text("1 message dead in the inbox")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "confirm-replay.png")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status")).to_have_text("1 message is tried again now.")


def test_discarding_needs_a_tick(page: Page) -> None:
    open_message(page, "key-6")
    page.get_by_role("link", name="Discard").click()
    page.get_by_role("button", name="Discard").click()
    assert "/ops/action" in page.url
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("status")).to_have_text("1 message is discarded.")
    expect(page.locator(".facts .state")).to_have_text("discarded")


def test_what_a_stranger_wrote_is_shown_and_never_run(page: Page) -> None:
    open_message(page, "key-0")
    expect(page.locator("pre").first).to_contain_text("<script>document.title='stolen'")
    assert "stolen" not in page.title()
    assert page.locator("main img, main script").count() == 0


def test_the_flow_map_leads_to_the_messages_of_a_topic(page: Page) -> None:
    page.goto("/ops/flow")
    page.locator("svg.drawing a", has_text="order-created.v1").click()
    page.wait_for_url("**/ops/outbox/published?topic=orders.order-created.v1")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_phone(phone: Page, name: str) -> None:
    phone.goto(PAGES[name])
    _fits(phone)


def test_a_message_is_not_wider_than_a_phone(phone: Page) -> None:
    open_message(phone, "key-0")
    _fits(phone)


@pytest.mark.parametrize("name", ["overview", "list", "subscriptions", "flow"])
def test_the_keyboard_reaches_everything_in_the_order_of_the_page(page: Page, name: str) -> None:
    page.goto(PAGES[name])
    wanted = page.evaluate(
        """() => [...document.querySelectorAll(
            'a[href], button, input, select, summary, [tabindex="0"]')]
          .filter(one => one.checkVisibility({visibilityProperty: true}))
          .map((one, place) => { one.dataset.place = place; return place })"""
    )
    reached: list[int] = []
    for _ in range(3 * len(wanted) + 10):
        page.keyboard.press("Tab")
        place = page.evaluate("() => document.activeElement?.dataset?.place ?? null")
        if place is None:
            break
        # A date field has several stops of its own.
        if not reached or reached[-1] != int(place):
            reached.append(int(place))
            assert page.evaluate(
                "() => getComputedStyle(document.activeElement).outlineStyle !== 'none'"
            )
    assert reached == wanted


def test_the_first_stop_of_the_keyboard_skips_to_the_content(page: Page) -> None:
    page.goto("/ops")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_it_looks_like_this(browser: Browser, url: str, device: str, scheme: Any) -> None:
    viewport: Any = DESKTOP if device == "desktop" else PHONE
    for page in _logged_in(browser, url, viewport=viewport, color_scheme=scheme):
        for name, path in PAGES.items():
            page.goto(path)
            _shoot(page, f"{name}-{device}-{scheme}")
        open_message(page, "key-3")
        _shoot(page, f"message-{device}-{scheme}")
        page.goto("/ops/outbox/published")
        page.locator("a.id").first.click()
        _shoot(page, f"message-published-{device}-{scheme}")
        background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        is_dark = sum(int(part) for part in background[4:-1].split(",")) < 3 * 128
        assert is_dark == (scheme == "dark")


def _shoot(page: Page, name: str) -> None:
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def _fits(page: Page) -> None:
    wide = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *')]
          .filter(one => !one.closest('.scroll, pre, .hidden, .skip, .cards-when-narrow thead'))
          .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
          .filter(one => one.checkVisibility())
          .map(one => one.outerHTML.slice(0, 120))"""
    )
    assert wide == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
