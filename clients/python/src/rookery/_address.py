"""The address of the server, from the forms that users write."""

from __future__ import annotations

from urllib.parse import urlsplit

SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def socket_url(url: str) -> str:
    """The address of its WebSocket: `url` may have a path, `/graphql` and a slash at its end.

    Raises `ValueError` if it is not an address of the web.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.netloc:
        raise ValueError(f"{url!r} is no address of a server: it looks like https://chat.example.org")
    path = parts.path.rstrip("/")
    end = "" if path.endswith("/graphql") else "/graphql"
    return f"{SCHEMES[parts.scheme]}://{parts.netloc}{path}{end}"
