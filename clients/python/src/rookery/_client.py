"""One device of one user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from types import TracebackType
from typing import Any

from ._actions import Actions, payload_of, viewer_of
from ._address import socket_url
from ._connection import Json
from ._consume import Batch, consume
from ._documents import ACKNOWLEDGE, CONSUME, COUNTED, JOIN, LOG_IN, LOG_OUT, SEND
from ._errors import ConnectionLost, LoggedOut, Refused
from ._link import Link
from ._pauses import Wait, back_off

CONNECT_SECONDS = 15.0


class Client:
    """Queries, actions and consumers of a device. Use `connect`."""

    def __init__(self, link: Link, token: str, viewer: Json) -> None:
        self.token = token
        """The token. Store that of a login: the server shows it once."""
        self.user_id: str = viewer["user"]["userId"]
        """The user as whom the client acts."""
        self.device_id: str = viewer["device"]["deviceId"]
        """The device, which counts actions for itself."""
        self._link = link
        self._actions = Actions(link, int(viewer["device"]["lastActionId"]))

    @property
    def last_action_id(self) -> int:
        """The number of the last numbered action."""
        return self._actions.last

    async def query(self, document: str, variables: Mapping[str, Any] | None = None) -> Json:
        """Runs a query and returns its `data`; retries until an answer comes.

        A mutation may be executed twice here: use `act`, unless a repetition changes nothing.
        """
        return await self._link.retry(lambda: self._link.execute(document, variables or {}))

    async def act(
        self,
        document: str,
        given: Mapping[str, Any],
        *,
        action_id: int | None = None,
        transaction_id: str | None = None,
    ) -> Json:
        """Carries out the one mutation of `document`, whose variable is `$input`; returns its payload.

        It happens once, and is retried until its outcome is known. The document selects `refusal { code message }`.

        - By default it gets the next number of the device as `actionId`, and happens after all earlier calls.
        - `transaction_id` names it instead, for `sendMessage` and `sendEvent`. Under one name the user sends one event
          for ever: so a program that starts again sends nothing twice, if it names its events after their causes.
        - `action_id` repeats a number of an earlier run: see `last_action_id`.

        Raises `Refused` if a rule forbids it.
        """
        if transaction_id is not None and action_id is not None:
            raise ValueError("give either `action_id` or `transaction_id`")
        if transaction_id is not None:
            return await self._actions.perform(document, {**given, "transactionId": transaction_id})
        if action_id is not None:
            return await self._actions.again(document, given, action_id)
        return await self._actions.numbered(document, given)

    async def send(self, room_id: str, body: str, *, transaction_id: str | None = None, **fields: Any) -> Json:
        """Sends a text message. `fields` are more fields of `SendMessageInput`, such as `replyTo` and `kind`.

        Returns `{"event": {"eventId", "sequence"}, "position"}`.
        """
        given = {"roomId": room_id, "body": body, **fields}
        return await self.act(SEND, given, transaction_id=transaction_id)

    async def join(self, room: str, *, via: Sequence[str] = ()) -> Json:
        """Joins a room by its ID or an alias; returns `{"room": {"roomId", "name"}, "position"}`.

        A room of another server is joined when this returns. `via` names servers that may be in a room that an ID names;
        an invite or an alias names its own. To join a room again changes nothing.
        """
        named = {"alias": room} if room.startswith("#") else {"roomId": room}
        return await self._actions.settled(JOIN, {"room": named, "via": list(via)})

    async def consume(
        self,
        name: str,
        *,
        begin: Mapping[str, Any] | None = None,
        max: int | None = None,
        filter: Mapping[str, Any] | None = None,
        document: str | None = None,
    ) -> AsyncGenerator[Batch, None]:
        """Yields the batches of the consumer `name` of the user, over all cuts. Acknowledge each one.

        `begin` says where a new consumer begins: `BEGINNING`, `{"position": ...}` or `{"time": ...}`; by default with
        the events that come from now on. A batch ends after `max` events, 100 by default. `filter` is a `FilterBy` of
        the schema. `document` is a subscription of your own to
        `consume(name: $name, filter: $filter, max: $max, from: $from)`; it selects `events`, `position` and `batch`.

        Raises `ConsumerEnded` if another program takes over or the consumer is deleted, and `LoggedOut`.
        """

        async def acknowledge(position: str, batch: str) -> None:
            await self.acknowledge(name, position, batch=batch)

        variables = {"name": name, "filter": filter, "max": max, "from": begin}
        batches = consume(self._link, document or CONSUME, variables, acknowledge)
        try:
            async for batch in batches:
                yield batch
        finally:
            await batches.aclose()

    async def acknowledge(self, name: str, position: str, *, batch: str | None = None) -> None:
        """Acknowledges the batches of a consumer up to a position. `Batch.acknowledge` does it for one batch."""
        given = {"name": name, "position": position}
        if batch is not None:
            given["batch"] = batch
        await self._actions.perform(ACKNOWLEDGE, given)

    async def log_out(self, *, everywhere: bool = False) -> None:
        """Logs out this device, or all devices of the user, and closes the client."""
        try:
            await self.query(LOG_OUT, {"input": {"everywhere": everywhere}})
        except LoggedOut:
            pass  # The socket may close before the answer.
        await self.close()

    async def close(self) -> None:
        """Closes the connection. Calls that run end with `ConnectionLost`, whose code is `CLIENT_CLOSED`."""
        await self._link.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class connect:  # noqa: N801
    """Connects to the server at `url`, as `async with connect(...) as client`, or as `client = await connect(...)`.

    Give a `token`, or `username` and `password` for a login on a new device; `device_id` logs in again on a device of
    the user. A token of a service may `act_as` a user in its namespaces. `wait` waits before each retry, and
    `connect_seconds` bounds the first attempts.

    Raises `ValueError` for a URL that is not valid, `ConnectionLost` if the server does not answer, `UnexpectedAnswer`
    if another program answers, `LoggedOut` for a token that is not valid, `Refused` for a wrong password.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        device_name: str = "Python",
        device_id: str | None = None,
        act_as: str | None = None,
        wait: Wait = back_off,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        if (token is None) == (username is None or password is None):
            raise ValueError("give either `token`, or `username` and `password`")
        self._url = socket_url(url)
        self._token, self._act_as = token, act_as
        self._login = {"username": username, "password": password, "deviceName": device_name, "deviceId": device_id}
        self._wait, self._seconds = wait, connect_seconds
        self._client: Client | None = None

    def __await__(self) -> Generator[Any, None, Client]:
        return self._connect().__await__()

    async def __aenter__(self) -> Client:
        self._client = await self._connect()
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def _connect(self) -> Client:
        token = self._token
        if token is None:
            token = str((await self._within(None, LOG_IN, {"input": self._given()}))[1]["token"])
        link, viewer = await self._within(token, COUNTED, {})
        return Client(link, token, viewer)

    def _given(self) -> Json:
        return {key: value for key, value in self._login.items() if value is not None}

    async def _within(self, token: str | None, document: str, variables: Json) -> tuple[Link, Json]:
        """The first answer on a new link: the viewer, or the login of a link that is closed again."""
        link = Link(self._url, token, self._act_as if token is not None else None, self._wait)
        last: ConnectionLost | None = None

        async def attempt() -> Json:
            nonlocal last
            try:
                return await link.execute(document, variables)
            except ConnectionLost as error:
                last = error
                raise

        try:
            async with asyncio.timeout(self._seconds):
                data = await link.retry(attempt)
            if token is not None:
                return link, viewer_of(data)
            payload = payload_of(data)
            if payload.get("refusal"):
                raise Refused(payload["refusal"])
            await link.close()
            return link, payload
        except TimeoutError as error:
            await link.close()
            raise (last or ConnectionLost(f"{self._url} does not answer")) from error
        except BaseException:
            await link.close()
            raise
