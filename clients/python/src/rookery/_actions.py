"""Actions: each happens once, and numbered ones happen in the order of their calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ._connection import Json
from ._documents import COUNTED
from ._errors import (
    UNDECIDED,
    LoggedOut,
    Refused,
    RequestFailed,
    RookeryError,
    is_passing,
    retry_after,
)
from ._link import Link
from ._pauses import pause

# Failures of the server after which the client gives up an action with an unknown outcome.
FAILURES_MAX = 5
# Another program acts on this device: the number has to be chosen again. It was not executed under the old one.
TAKEN = frozenset({"ACTION_ID_REUSED", "ACTION_TOO_LATE"})


class Actions:
    """Counts the actions of one device.

    An action is sent when the previous one has its answer, so the server never has to wait for a missing number.
    """

    def __init__(self, link: Link, last: int) -> None:
        self.last = last
        self._link = link
        self._turn = asyncio.Lock()

    async def numbered(self, document: str, given: Mapping[str, Any]) -> Json:
        """Carries out an action with the next number."""
        return (await self._next(document, given))[0]

    async def settled(self, document: str, given: Mapping[str, Any]) -> Json:
        """Carries out an action with the next number, and waits until other servers have answered.

        Later actions do not wait for that: the number is taken, and a repetition only asks for the outcome.
        """
        payload, number = await self._next(document, given)
        while payload.get("isPending"):
            await pause(self._link.wait, 1, 0.0)
            payload = await self.perform(document, {**given, "actionId": number})
        return payload

    async def _next(self, document: str, given: Mapping[str, Any]) -> tuple[Json, int]:
        async with self._turn:
            while True:
                self.last += 1
                number = self.last
                try:
                    return await self.perform(document, {**given, "actionId": number}), number
                except Refused as refused:
                    if refused.code not in TAKEN:
                        raise
                # An earlier run of this program, or another one, has used the number: continue after it.
                self.last = max(self.last, await self._counted())

    async def again(self, document: str, given: Mapping[str, Any], action_id: int) -> Json:
        """Carries out an action with a number from an earlier run."""
        async with self._turn:
            self.last = max(self.last, action_id)
            return await self.perform(document, {**given, "actionId": action_id})

    async def perform(self, document: str, given: Mapping[str, Any]) -> Json:
        """Repeats a mutation until its outcome is known; returns its payload. Raises `Refused`."""
        failures = 0
        while True:
            wait = 0.0
            try:
                payload = payload_of(await self._link.execute(document, {"input": given}))
                refusal = payload.get("refusal")
                if not refusal:
                    return payload
                if refusal.get("code") not in UNDECIDED:
                    raise Refused(refusal)
                wait = float(refusal.get("retryAfter") or 0.0)
            except RookeryError as error:
                is_unknown = isinstance(error, RequestFailed) and error.is_outcome_unknown
                if not is_passing(error) and not (is_unknown and failures + 1 < FAILURES_MAX):
                    raise
                wait = retry_after(error)
            failures += 1
            await pause(self._link.wait, failures, wait)

    async def _counted(self) -> int:
        counted = await self._link.retry(lambda: self._link.execute(COUNTED, {}))
        return int(viewer_of(counted)["device"]["lastActionId"])


def payload_of(data: Json) -> Json:
    """The payload of the one mutation of a document."""
    payloads = list(data.values())
    if len(payloads) != 1 or not isinstance(payloads[0], dict):
        raise ValueError("the document has to have one mutation, with a payload")
    return payloads[0]


def viewer_of(data: Json) -> Json:
    """The logged-in user of an answer."""
    viewer = data.get("viewer")
    if not isinstance(viewer, dict):
        raise LoggedOut("UNAUTHENTICATED", "the token is not valid")
    return viewer
