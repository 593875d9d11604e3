"""The operator pages on a phone, with a keyboard alone, and in the dark."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.visits import DESKTOP, PAGES, PHONE, SCREENSHOTS, logged_in, open_first, open_message

# They share a browser and a service.
pytestmark = pytest.mark.xdist_group("browser")


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
    for page in logged_in(browser, url, viewport=viewport, color_scheme=scheme):
        for name, path in PAGES.items():
            page.goto(path)
            _shoot(page, f"{name}-{device}-{scheme}")
        open_message(page, "key-3")
        _shoot(page, f"message-{device}-{scheme}")
        page.goto("/ops/outbox/published")
        open_first(page)
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
