"""Users of the server at ROOKERY_URL."""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import AbstractAsyncContextManager
from typing import Any

from rookery import Client, connect
from rookery._address import socket_url
from rookery._link import Link

URL = os.environ["ROOKERY_URL"]
PASSWORD = "correct horse battery staple"
NAMES = itertools.count(1)

REGISTER = """
mutation Register($input: RegisterInput!) {
  register(input: $input) { token user { userId } refusal { code message } }
}
"""
CREATE_ROOM = """
mutation Create($input: CreateRoomInput!) {
  createRoom(input: $input) { room { roomId } refusal { code message } }
}
"""
TIMELINE = """
query Timeline($room: RoomID!) {
  room(by: { roomId: $room }) { timeline(last: 100) { nodes { eventId ... on MessageEvent { text sender { userId } } } } }
}
"""


async def at_once(_: int) -> None:
    """A client of the tests retries without a pause."""
    await asyncio.sleep(0)


async def register(url: str = URL) -> str:
    """A new user; returns the name."""
    name = f"python{next(NAMES)}"
    link = Link(socket_url(url), None, None, at_once)
    answer = await link.execute(REGISTER, {"input": {"username": name, "password": PASSWORD}})
    await link.close()
    assert not answer["register"]["refusal"], answer
    return name


def client_of(name: str, url: str = URL, **options: Any) -> AbstractAsyncContextManager[Client]:
    """A client of a user on a new device, which retries at once."""
    return connect(url, username=name, password=PASSWORD, wait=at_once, **options)


async def create_room(client: Client) -> str:
    payload = await client.act(CREATE_ROOM, {"name": "Rooks", "preset": "PUBLIC"})
    return str(payload["room"]["roomId"])


async def texts(client: Client, room: str) -> list[str]:
    """The texts of a room, oldest first."""
    found = (await client.query(TIMELINE, {"room": room}))["room"]["timeline"]["nodes"]
    return [event["text"] for event in found if event.get("text") is not None]
