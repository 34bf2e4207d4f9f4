"""gql, the client for Python, over WebSockets.

Requests and subscriptions go over one WebSocket. It does not come back by itself: each subscription gets a session of its own.
"""

import asyncio
import sys

from calls import causes, serve
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosed

# The subprotocols are those that gql offers by default: its own legacy one first.
URL = f"{sys.argv[1].replace('http', 'ws')}/graphql"


def client(token):
    """A client that sends the token as it connects."""
    payload = {"Authorization": f"Bearer {token}"} if token else {}
    transport = WebsocketsTransport(url=URL, init_payload=payload)
    return Client(transport=transport)


def code_of(error):
    """The close code of the socket, or the code of the first error."""
    for error in causes(error):
        if isinstance(error, TransportQueryError):
            return error.errors[0].get("extensions", {}).get("code")
        if isinstance(error, ConnectionClosed):
            return error.rcvd.code if error.rcvd else 1006
    return None


async def run(call):
    """Executes a query or a mutation."""
    request = gql(call["document"])
    request.variable_values = call["variables"]
    async with client(call.get("token")) as session:
        return await session.execute(request)


async def subscribe(call):
    """Yields each result of a subscription, until it ends."""
    request = gql(call["document"])
    request.variable_values = call["variables"]
    async with client(call.get("token")) as session:
        async for data in session.subscribe(request):
            yield data


asyncio.run(serve(run, subscribe, code_of))
