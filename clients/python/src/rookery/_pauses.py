"""The pauses between retries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

Wait = Callable[[int], Awaitable[None]]
"""Waits before the attempt of this number; 1 is the attempt after the first failure."""

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 30.0


async def back_off(attempt: int) -> None:
    """Doubles the pause each time, up to half a minute, at random, so that clients do not all return at once."""
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 10))
    await asyncio.sleep(longest * random.uniform(0.5, 1.0))


async def pause(wait: Wait, attempt: int, at_least: float = 0.0) -> None:
    """Waits with `wait`, and at least for the time that the server stated."""
    if at_least > 0.0:
        await asyncio.sleep(at_least)
    await wait(attempt)
