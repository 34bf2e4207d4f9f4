"""The errors, by the reaction of the caller. All of them have `code` and `message`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# The same request may succeed later.
PASSING = frozenset({"UNAVAILABLE", "TIMEOUT", "STALE", "RATE_LIMITED"})
# Refusals that decide nothing.
UNDECIDED = frozenset({"BUSY", "CONTENDED", "RATE_LIMITED"})


class RookeryError(Exception):
    """The base of all errors of this package."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        """A code of the server, from the tables in docs/graphql.md, or one that an error below names."""
        self.message = message
        """A sentence that says what is wrong."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Refused(RookeryError):
    """A rule forbids the action. Nothing was changed, and a repetition gets the same answer."""

    def __init__(self, refusal: Mapping[str, Any]) -> None:
        super().__init__(str(refusal.get("code")), str(refusal.get("message", "")))
        self.refusal = dict(refusal)
        """The whole refusal, with the fields that the document selects."""


class RequestFailed(RookeryError):
    """The answer has errors: something is wrong with the request or with the server."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.errors = [dict(error) for error in errors]
        """All errors of the answer. `code` is that of the first one."""
        messages = [str(error.get("message")) for error in errors] or ["the answer has no data"]
        super().__init__(code_of(errors) or "UNKNOWN", "; ".join(messages))

    @property
    def retry_after(self) -> float:
        """Seconds to wait before a retry; 0 if the server stated none."""
        for error in self.errors:
            stated = (error.get("extensions") or {}).get("retryAfter")
            if isinstance(stated, int | float):
                return float(stated)
        return 0.0

    @property
    def is_outcome_unknown(self) -> bool:
        """Whether a mutation may have been executed."""
        return any((error.get("extensions") or {}).get("outcome") == "UNKNOWN" for error in self.errors)


class ConsumerEnded(RequestFailed):
    """The consumer ended for good.

    `CONSUMER_TAKEN_OVER`: another program consumes under this name; do not connect again, since both would take the
    consumer from each other for ever. `CONSUMER_DELETED`: it was deleted; `consume` makes a new one.
    """


class LoggedOut(RookeryError):
    """The token is not valid, or no longer (`UNAUTHENTICATED`), or it may not act as the user (`FORBIDDEN`)."""


class ConnectionLost(RookeryError):
    """No answer came (`CONNECTION_LOST`): the server may have done it, or not.

    The client retries by itself. Only `connect` raises it, if the server cannot be reached for a while, and requests
    of a client that is closed (`CLIENT_CLOSED`).
    """

    def __init__(self, message: str, code: str = "CONNECTION_LOST", retry_after: float = 0.0) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class UnexpectedAnswer(RookeryError):
    """Another program than a Rookery server answers at the URL (`UNEXPECTED_ANSWER`), or a proxy blocks WebSockets.

    Or the server closed the connection with a code after which a retry would fail again: then `code` is `CLOSED`.
    """


def code_of(errors: Sequence[Mapping[str, Any]]) -> str | None:
    """The code of the first error."""
    extensions = errors[0].get("extensions") if errors else None
    code = extensions.get("code") if isinstance(extensions, Mapping) else None
    return str(code) if code is not None else None


def failed(errors: Sequence[Mapping[str, Any]]) -> RookeryError:
    """The exception for the errors of an answer."""
    code = code_of(errors)
    if code in ("CONSUMER_TAKEN_OVER", "CONSUMER_DELETED"):
        return ConsumerEnded(errors)
    if code == "UNAUTHENTICATED":
        return LoggedOut(code, str(errors[0].get("message", "")))
    return RequestFailed(errors)


def is_passing(error: RookeryError) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, ConnectionLost):
        return error.code == "CONNECTION_LOST"
    return isinstance(error, RequestFailed) and error.code in PASSING


def retry_after(error: RookeryError) -> float:
    """The pause that the server asks for, in seconds."""
    return error.retry_after if isinstance(error, RequestFailed | ConnectionLost) else 0.0
