"""The operator pages in a real browser: what a person sees there, and does."""

import pytest
from busy_day import CREATED
from playwright.sync_api import Browser, Page, expect

from browser.visits import SCREENSHOTS, TOKEN, open_first, open_message

# They share a browser and a service.
pytestmark = pytest.mark.xdist_group("browser")


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
    expect(page.locator(".chart.published rect").nth(50)).to_be_attached()
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
    expect(page.locator("a.id").first).not_to_have_text(first)
    page.get_by_role("link", name="First page").click()
    expect(page.locator("a.id").first).to_have_text(first)


def test_the_chain_of_a_message_leads_from_node_to_node(page: Page) -> None:
    page.goto("/ops/inbox/handled")
    open_first(page)
    expect(page.locator("svg.drawing a").nth(4)).to_be_visible()
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
