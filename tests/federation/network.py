"""The network between the servers: a gate before each, which can refuse, lose answers and count requests.

The name of a server is the address of its gate. The gate ends TLS, reads each request, and passes it on over TLS. It tells
the sender by the `Authorization` header, so a server is cut off in both directions although all are on loopback.
"""

import asyncio
import collections
import json
import re
import ssl
import threading

HEAD_BYTES_MAX = 256 * 1024

Request = collections.namedtuple("Request", "origin to method path status pdus")


class Broken(Exception):
    """A connection that ends here, as if the network had ended it."""


class Network:
    """All gates, on one thread of their own."""

    def __init__(self, certificates):
        ca, certificate, key = certificates
        self.inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.inside.load_cert_chain(certificate, key)
        self.outside = ssl.create_default_context(cafile=ca)
        self.lock = threading.Lock()
        self.cuts, self.eaten, self.requests = set(), [], []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def gate(self, port_behind):
        """A gate before a port. Returns the server name that leads there."""
        async def open_gate():
            gate = Gate(self, port_behind)
            server = await asyncio.start_server(gate.serve, "127.0.0.1", 0, ssl=self.inside, limit=HEAD_BYTES_MAX)
            gate.name = "localhost:%d" % server.sockets[0].getsockname()[1]
            return gate.name
        return asyncio.run_coroutine_threadsafe(open_gate(), self.loop).result(10)

    def cut(self, one, other=None):
        """Cuts a server off from another one, or from all."""
        with self.lock:
            self.cuts.add(frozenset([one, other]))

    def mend(self):
        """Ends all cuts."""
        with self.lock:
            self.cuts.clear()

    def is_cut(self, origin, to):
        with self.lock:
            pairs = [frozenset([origin, to]), frozenset([to, None]), frozenset([origin, None])]
            return any(pair in self.cuts for pair in pairs)

    def eat_answers(self, to, path, count):
        """Loses the answers of a server to the next `count` requests whose path matches. Returns a list of those paths."""
        eaten = []
        with self.lock:
            self.eaten.append([to, re.compile(path), count, eaten])
        return eaten

    def is_eaten(self, to, path):
        with self.lock:
            for rule in self.eaten:
                if rule[0] == to and rule[2] > 0 and rule[1].search(path):
                    rule[2] -= 1
                    rule[3].append(path)
                    return True
        return False

    def seen(self, origin=None, to=None, path=""):
        """The requests that were answered, in the order of the answers. Requests for keys have no origin."""
        with self.lock:
            requests = list(self.requests)
        return [it for it in requests
                if (origin is None or it.origin == origin) and (to is None or it.to == to) and re.search(path, it.path)]

    def forget(self):
        """Forgets the requests that were seen."""
        with self.lock:
            self.requests.clear()


class Gate:
    """What stands before one server."""

    def __init__(self, network, port):
        self.network, self.port, self.name = network, port, None

    async def serve(self, reader, writer):
        """Passes on the requests of one connection."""
        behind = None
        try:
            while True:
                head = await self.next_head(reader, behind)
                if behind is None:
                    behind = await asyncio.open_connection(
                        "127.0.0.1", self.port, ssl=self.network.outside, server_hostname="localhost",
                        limit=HEAD_BYTES_MAX)
                await self.pass_on(head, reader, writer, behind)
        except (Broken, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            writer.transport.abort()
            if behind:
                behind[1].transport.abort()

    @staticmethod
    async def next_head(reader, behind):
        """The head of the next request. The connection ends when the server ends its own."""
        head = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
        waiting = [head]
        if behind:
            waiting.append(asyncio.ensure_future(behind[0].read(1)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if behind and waiting[1].done():
                raise Broken
            return head.result()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def pass_on(self, head, reader, writer, behind):
        method, path = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")[:2]
        found = re.search(rb'(?i)\r\nauthorization:\s*x-matrix[^\r]*?origin="?([^",\r]+)', head)
        origin = found.group(1).decode() if found else None
        body = await read_body(head, reader)
        if self.network.is_cut(origin, self.name):
            raise Broken
        behind[1].write(head + body)
        answer = await behind[0].readuntil(b"\r\n\r\n")
        answer += await read_body(answer, behind[0])
        if self.network.is_cut(origin, self.name) or self.network.is_eaten(self.name, path):
            raise Broken
        status, pdus = int(answer.split(b" ", 2)[1]), 0
        if "/federation/v1/send/" in path:
            pdus = len(json.loads(body)["pdus"])
        with self.network.lock:
            self.network.requests.append(Request(origin, self.name, method, path, status, pdus))
        writer.write(answer)
        await writer.drain()


async def read_body(head, reader):
    """The body after a head, as it came."""
    length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
    if length:
        return await reader.readexactly(int(length.group(1)))
    if not re.search(rb"(?i)\r\ntransfer-encoding:\s*chunked", head):
        return b""
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        chunk = await reader.readexactly(int(line.split(b";")[0], 16) + 2)
        body += line + chunk
        if len(chunk) == 2:
            return body
