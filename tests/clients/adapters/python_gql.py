"""gql, the client for Python: one line of JSON on standard input is a call, one on standard output an answer.

Requests and subscriptions go over one WebSocket. It does not come back by itself: each subscription gets a session of its own.
"""

import asyncio
import json
import sys

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


def say(**answer):
    print(json.dumps(answer), flush=True)


def code_of(error):
    """The close code of the socket, or the code of the first error."""
    while error is not None:
        if isinstance(error, TransportQueryError):
            return error.errors[0].get("extensions", {}).get("code")
        if isinstance(error, ConnectionClosed):
            return error.rcvd.code if error.rcvd else 1006
        error = error.__cause__ or error.__context__
    return None


async def run(call):
    """Executes a query or a mutation."""
    request = gql(call["document"])
    request.variable_values = call["variables"]
    async with client(call.get("token")) as session:
        return await session.execute(request)


async def subscribe(call):
    """Prints each result of a subscription, until it ends."""
    request = gql(call["document"])
    request.variable_values = call["variables"]
    async with client(call.get("token")) as session:
        async for data in session.subscribe(request):
            say(id=call["id"], next=data)


async def serve(call):
    try:
        data = await (run if call["do"] == "run" else subscribe)(call)
        say(id=call["id"], data=data)
    except Exception as error:  # whatever ends it is told, and judged there
        say(id=call["id"], error={"message": f"{type(error).__name__}: {error}", "code": code_of(error)})


async def main():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        task = asyncio.create_task(serve(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
