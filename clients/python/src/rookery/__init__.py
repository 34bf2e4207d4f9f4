"""A client for Rookery, an instant-messaging server: for bots, archives and bridges.

`connect` gives a `Client`. `Client.consume` yields the batches of a durable consumer, `Client.act` carries out actions,
each once, and `Client.query` asks for anything else.
"""

from ._client import Client, connect
from ._consume import BEGINNING, Batch
from ._errors import (
    ConnectionLost,
    ConsumerEnded,
    LoggedOut,
    Refused,
    RequestFailed,
    RookeryError,
    UnexpectedAnswer,
)
from ._pauses import back_off

__all__ = [
    "BEGINNING",
    "Batch",
    "Client",
    "ConnectionLost",
    "ConsumerEnded",
    "LoggedOut",
    "Refused",
    "RequestFailed",
    "RookeryError",
    "UnexpectedAnswer",
    "back_off",
    "connect",
]
