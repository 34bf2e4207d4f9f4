"""A durable consumer: batches that come again until they are acknowledged, over as many connections as it takes.

The server remembers how far the consumer has come, so nothing is stored here. A batch comes again after a cut, and if
it was not acknowledged for a while. Repeats of batches that this program has acknowledged are left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._connection import Json
from ._errors import RookeryError, is_passing, retry_after
from ._link import Link
from ._pauses import pause

BEGINNING: Mapping[str, Any] = {"beginning": True}
"""The place of a new consumer that wants everything from the beginning of the log."""

# How many acknowledged batches may be on their way once more: two are outstanding at a time.
REMEMBERED = 8


@dataclass(frozen=True)
class Batch:
    """A batch of a consumer. It comes again, with the same boundaries and the same `batch`, until it is acknowledged."""

    events: list[Json]
    """The items of the stream, each with `__typename`."""
    position: str
    """The end of the batch."""
    batch: str | None
    """The ID of the batch. None for a chunk that only says that the consumer has caught up."""
    data: Json
    """The whole chunk, with all fields that the document selects."""
    _acknowledge: Callable[[Batch], Awaitable[None]] = field(repr=False, compare=False)

    @property
    def is_caught_up(self) -> bool:
        """Whether nothing else concerned the user when the batch was sent."""
        return bool(self.data.get("caughtUp"))

    @property
    def attempt(self) -> int:
        """How often the batch was sent, this time included."""
        return int(self.data.get("attempt", 1))

    @property
    def skipped(self) -> list[Json]:
        """The events that the batch leaves out: `roomId`, `first`, `last` and `reason`."""
        return list(self.data.get("skipped") or [])

    async def acknowledge(self) -> None:
        """Acknowledges the batch and all before it: they do not come again. It is stored when this returns.

        Raises `Refused`, such as `POSITION_NOT_DELIVERED` after a reset.
        """
        if self.batch is not None:
            await self._acknowledge(self)


async def consume(
    link: Link,
    document: str,
    variables: Mapping[str, Any],
    acknowledge: Callable[[str, str], Awaitable[None]],
) -> AsyncGenerator[Batch, None]:
    """Yields the batches of a consumer until it ends for good. `acknowledge` takes a position and a batch."""
    acknowledged: deque[str] = deque(maxlen=REMEMBERED)

    async def settle(batch: Batch) -> None:
        if batch.batch is not None and batch.batch not in acknowledged:
            await acknowledge(batch.position, batch.batch)
            acknowledged.append(batch.batch)

    failures = 0
    while True:
        wait = 0.0
        answers = link.subscribe(document, variables)
        try:
            async for answer in answers:
                failures = 0
                chunk: Json = answer["consume"]
                if chunk["batch"] is None or chunk["batch"] not in acknowledged:
                    yield Batch(chunk["events"], chunk["position"], chunk["batch"], chunk, settle)
        except RookeryError as error:
            if not is_passing(error):
                raise
            wait = retry_after(error)
        finally:
            await answers.aclose()
        # The server completes the subscription when it stops.
        failures += 1
        await pause(link.wait, failures, wait)
