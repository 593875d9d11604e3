"""Which servers the service talks to, and proxies in front of them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.faults.errors import CannotRunError
from tests.own_broker import redirected
from tests.proxy import Proxy
from tests.urls import through


@dataclass(frozen=True)
class Network:
    """The proxies by the server's name, and the settings that lead the service through them."""

    proxies: Mapping[str, Proxy]
    settings: Mapping[str, str]

    def heal(self) -> None:
        """Pass everything on, everywhere."""
        for proxy in self.proxies.values():
            proxy.heal()


@asynccontextmanager
async def network(urls: Mapping[str, str]) -> AsyncIterator[Network]:
    """Proxies for the servers in `urls`, given as in {"the broker": BROKER_URL}.

    What is no server, a file or this process's memory, gets none. Raises CannotRunError.
    """
    proxies, settings = {}, {}
    async with AsyncExitStack() as stack:
        for setting, url in urls.items():
            if address := address_in(setting, url):
                proxy = await stack.enter_async_context(Proxy(*address, redirected).listening())
                proxies[f"the {setting.partition('_')[0].lower()}"] = proxy
                settings[setting] = through(url, proxy.port)
            else:
                settings[setting] = url
        yield Network(proxies, settings)


def address_in(setting: str, url: str) -> tuple[str, int] | None:
    """Host and port in `url`, None when it names no server. Raises CannotRunError."""
    parts = urlsplit(url)
    if not parts.hostname:
        return None
    try:
        port = parts.port
    except ValueError:
        port = None
    if port is None or "," in parts.netloc:
        raise CannotRunError(
            f"{setting} must name one host and its port, so that a proxy can stand between: "
            f"write it as {parts.scheme}://USER:PASSWORD@HOST:PORT/..."
        )
    return parts.hostname, port
