"""One browser, and one service for it, for all of these tests."""

import os
import shutil
from collections.abc import Iterator

import pytest
from busy_day import fill
from conftest import Baked
from missing import missing
from playwright.sync_api import Browser, Page, sync_playwright
from service import Service, wait_until

from browser.visits import DESKTOP, PHONE, SCREENSHOTS, TOKEN, logged_in

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="package")
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
            _settle_an_order(service, f"{10 + number * 300}.00")
        yield service.url


def _settle_an_order(service: Service, amount: str) -> None:
    order_id = service.post("/orders", {"customer": "ada", "amount": amount}).json()["id"]
    wait_until(lambda: service.order_status(order_id) != "created", "the order is settled")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; without it the tests are skipped, and fail in CI."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        missing("chromium is missing: install it, or name another one in CHROMIUM.")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """Logged in, on a desktop."""
    yield from logged_in(browser, url, viewport=DESKTOP)


@pytest.fixture
def phone(browser: Browser, url: str) -> Iterator[Page]:
    yield from logged_in(browser, url, viewport=PHONE, has_touch=True, device_scale_factor=2)
