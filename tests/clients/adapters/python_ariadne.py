"""The package `rookery`, which ariadne-codegen generates: requests over HTTP, subscriptions over a WebSocket.

Variables and results are the generated models, so each value is checked against the schema.
"""

import asyncio
import inspect
import re
import sys

from calls import causes, serve
from rookery import Client, GraphQLClientGraphQLMultiError, GraphQLClientHttpError
from websockets.exceptions import ConnectionClosed

URL = f"{sys.argv[1]}/graphql"


def client(token):
    """A client that sends the token with requests, and as it connects."""
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(
        url=URL,
        headers=authorization,
        ws_url=URL.replace("http", "ws"),
        ws_connection_init_payload=authorization,
    )


def code_of(error):
    """The close code of the socket, the code of the first error, or the status."""
    for error in causes(error):
        if isinstance(error, GraphQLClientGraphQLMultiError):
            return (error.errors[0].extensions or {}).get("code")
        if isinstance(error, GraphQLClientHttpError):
            return error.status_code
        if isinstance(error, ConnectionClosed):
            return error.rcvd.code if error.rcvd else 1006
    return None


def snake_case(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def method_of(client, call):
    """The generated method for a call, and its arguments as models."""
    name = re.match(r"\s*\w+ (\w+)", call["document"])[1]
    method = getattr(client, snake_case(name))
    parameters = inspect.signature(method).parameters
    arguments = {}
    for name, value in call["variables"].items():
        name = snake_case(name)
        model = parameters[name].annotation
        arguments[name] = model.model_validate(value) if hasattr(model, "model_validate") else value
    return method, arguments


async def run(call):
    """Executes a query or a mutation."""
    async with client(call.get("token")) as open_client:
        method, arguments = method_of(open_client, call)
        return (await method(**arguments)).model_dump(mode="json", by_alias=True)


async def subscribe(call):
    """Yields each result of a subscription, until it ends."""
    async with client(call.get("token")) as open_client:
        method, arguments = method_of(open_client, call)
        async for data in method(**arguments):
            yield data.model_dump(mode="json", by_alias=True)


asyncio.run(serve(run, subscribe, code_of))
