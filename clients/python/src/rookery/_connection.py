"""One WebSocket that speaks graphql-transport-ws, and the operations on it.

Source: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. One task reads the socket and hands each
message to its operation. When the socket ends, each operation ends with the same error.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    ProxyError,
)
from websockets.typing import Subprotocol

from ._errors import ConnectionLost, LoggedOut, RookeryError, UnexpectedAnswer, failed

Json = dict[str, Any]

PROTOCOL = Subprotocol("graphql-transport-ws")
# The largest answer of the server is 8 MiB; JSON around it is small.
ANSWER_BYTES_MAX = 16 * 1024 * 1024
OPEN_SECONDS = 10.0
# The server answers each request within this time, or the connection counts as lost.
ANSWER_SECONDS = 30.0
# The socket is pinged after this silence, and lost without an answer.
SILENCE_SECONDS = 20.0
PONG_SECONDS = 10.0
# Close codes after which a retry would fail again.
FINAL = frozenset({1002, 1003, 1007, 1009, 4004, 4005, 4400, 4401, 4406, 4409, 4429})
LOGGED_OUT = 4403
# Statuses of proxies while they cannot reach the server.
PASSING_STATUSES = frozenset({408, 425, 429})

Message = Json | RookeryError | None
"""The payload of an answer, the reason of the end, or None after the last answer."""


class Connection:
    """An open connection. Use `Connection.open`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._names = itertools.count(1)
        self._operations: dict[str, asyncio.Queue[Message]] = {}
        self._end: RookeryError | None = None
        self._reader = asyncio.create_task(self._read(), name="rookery: reads a socket")

    @classmethod
    async def open(cls, url: str, payload: Json) -> Connection:
        """Connects and logs in. Raises `ConnectionLost`, `LoggedOut` or `UnexpectedAnswer`."""
        try:
            socket = await open_socket(
                url,
                subprotocols=[PROTOCOL],
                open_timeout=OPEN_SECONDS,
                ping_interval=SILENCE_SECONDS,
                ping_timeout=PONG_SECONDS,
                close_timeout=1.0,
                max_size=ANSWER_BYTES_MAX,
            )
        except ssl.SSLCertVerificationError:
            raise
        except (OSError, EOFError, InvalidHandshake) as error:
            raise _refused(url, error) from error
        try:
            if socket.subprotocol != PROTOCOL:
                raise UnexpectedAnswer("UNEXPECTED_ANSWER", f"{url} does not speak {PROTOCOL}: check the URL")
            async with asyncio.timeout(OPEN_SECONDS):
                await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
                while (await _receive(socket)).get("type") != "connection_ack":
                    pass
        except (ConnectionClosed, TimeoutError) as error:
            await socket.close()
            raise _closed(error) from error
        except BaseException:
            await socket.close()
            raise
        return cls(socket)

    @property
    def is_open(self) -> bool:
        """Whether operations can start."""
        return self._end is None

    async def execute(self, query: str, variables: Mapping[str, Any]) -> Json:
        """Carries out one query or mutation, once; returns its `data`."""
        answers = self.subscribe(query, variables)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                async for data in answers:
                    return data
        except TimeoutError as error:
            # A connection on which answers are missing is not used again.
            self._finish(ConnectionLost(f"no answer came within {ANSWER_SECONDS:.0f} seconds"))
            await self.close()
            raise ConnectionLost(f"no answer came within {ANSWER_SECONDS:.0f} seconds") from error
        finally:
            await answers.aclose()
        raise ConnectionLost("the server ended the operation without an answer")

    async def subscribe(self, query: str, variables: Mapping[str, Any]) -> AsyncGenerator[Json, None]:
        """Yields the `data` of each answer until the server completes the operation."""
        if self._end is not None:
            raise self._end
        name = str(next(self._names))
        answers = self._operations[name] = asyncio.Queue[Message]()
        known = {key: value for key, value in variables.items() if value is not None}
        request = {"type": "subscribe", "id": name, "payload": {"query": query, "variables": known}}
        try:
            await self._send(request)
            while (answer := await answers.get()) is not None:
                if isinstance(answer, RookeryError):
                    raise answer
                yield answer
        finally:
            if self._operations.pop(name, None) is not None and self._end is None:
                await self._send_quietly({"type": "complete", "id": name})

    async def close(self) -> None:
        """Closes the socket. Running operations end with `ConnectionLost`."""
        await self._socket.close()
        await asyncio.wait([self._reader])

    async def _read(self) -> None:
        end: RookeryError
        try:
            while True:
                message = await _receive(self._socket)
                match message.get("type"):
                    case "next":
                        self._hand(message, _answer(message))
                    case "error":
                        self._hand(message, failed(message.get("payload") or []), is_last=True)
                    case "complete":
                        self._hand(message, None, is_last=True)
                    case "ping":
                        await self._send({"type": "pong"})
        except (ConnectionClosed, ConnectionLost, UnexpectedAnswer) as error:
            end = error if isinstance(error, RookeryError) else _closed(error)
        self._finish(end)

    def _hand(self, message: Json, answer: Message, is_last: bool = False) -> None:
        """Hands a message to its operation, unless that has ended."""
        name = str(message.get("id"))
        operation = self._operations.pop(name, None) if is_last else self._operations.get(name)
        if operation is not None:
            operation.put_nowait(answer)

    def _finish(self, end: RookeryError) -> None:
        if self._end is None:
            self._end = end
            for operation in self._operations.values():
                operation.put_nowait(end)

    async def _send(self, message: Json) -> None:
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed as error:
            # The reader knows why it was closed.
            await asyncio.wait([self._reader])
            raise self._end or _closed(error) from error

    async def _send_quietly(self, message: Json) -> None:
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed:
            pass


def _answer(message: Json) -> Message:
    """The data of an answer, or its errors."""
    payload = message.get("payload") or {}
    data = payload.get("data")
    if payload.get("errors") or not isinstance(data, dict):
        return failed(payload.get("errors") or [])
    return data


async def _receive(socket: ClientConnection) -> Json:
    try:
        message = json.loads(await socket.recv())
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise UnexpectedAnswer("UNEXPECTED_ANSWER", "a message is no JSON object: check the URL")
    return message


def _closed(error: ConnectionClosed | TimeoutError) -> RookeryError:
    """The error of an operation on a socket that was closed."""
    if isinstance(error, TimeoutError):
        return ConnectionLost("the server does not answer")
    if error.rcvd is None:
        return ConnectionLost("the connection was cut")
    code, reason = error.rcvd.code, error.rcvd.reason
    if code == LOGGED_OUT:
        return LoggedOut("UNAUTHENTICATED", f"{reason}: the token is not valid, or no longer")
    if code in FINAL:
        return UnexpectedAnswer("CLOSED", f"the server closed the connection: {code} {reason}")
    return ConnectionLost(f"the server closed the connection: {code} {reason}")


def _refused(url: str, error: Exception) -> RookeryError:
    """The error of a socket that did not open."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        after = error.response.headers.get("Retry-After", "")
        message = f"{url} answers with the status {status}"
        if status >= 500 or status in PASSING_STATUSES:
            return ConnectionLost(message, retry_after=float(after) if after.isdecimal() else 0.0)
        return UnexpectedAnswer("UNEXPECTED_ANSWER", f"{message}: check the URL, and whether a proxy passes WebSockets")
    if isinstance(error, InvalidHandshake) and not isinstance(error, InvalidMessage | ProxyError):
        return UnexpectedAnswer("UNEXPECTED_ANSWER", f"{url} does not answer as a Rookery server: {error}")
    return ConnectionLost(f"{url} cannot be reached: {error or type(error).__name__}")
