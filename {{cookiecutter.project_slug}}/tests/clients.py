"""Clients that speak HTTP to an app, without a network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """As it is, without its lifespan."""
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client


async def disconnect(app: FastAPI) -> None:
    """Close its connections to the database, as the end of its lifespan does; it can go on."""
    await app.state.mediator.database.dispose()


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """With its lifespan, and so with its background tasks."""
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client
