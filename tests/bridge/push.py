#!/usr/bin/env python3
"""Measures how fast a server pushes events to an application service: Rookery, and Synapse beside it.

    PYTHONPATH=PACKAGES python3 tests/bridge/push.py ROOKERY SYNAPSE_PYTHON [--events N] [--singles N] [--rounds N]

PACKAGES has aiohttp, as `cargo xtask test bridge` installs it. SYNAPSE_PYTHON is a Python that can import Synapse. Both
servers get the same registration and the same requests, in turns. Prints a line of JSON for each server and round:

- `single_p50_ms`: from the answer to one message to the arrival of its transaction, one message at a time.
- `backlog_events_per_second`: the events that came while the service was down, from the first to the last push of them.
- `live_events_per_second`: from the first send of 16 senders to the last push.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time

import aiohttp
from aiohttp import web

import processes

TOKENS = {"as": "a" * 43, "hs": "h" * 43}
SENDERS = 16
GIVE_UP = 300


class Service:
    """The application service: counts what is pushed to it, and refuses while it is down."""

    def __init__(self):
        self.arrivals, self.is_down, self.changed, self.refused = {}, False, asyncio.Event(), 0

    async def start(self):
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_put("/_matrix/app/v1/transactions/{id}", self.take)
        app.router.add_route("*", "/{rest:.*}", self.answer)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]

    async def take(self, request):
        body = await request.json()
        if self.is_down:
            self.refused += 1
            return web.json_response({}, status=503)
        now = time.perf_counter()
        for event in body["events"]:
            text = event.get("content", {}).get("body")
            if text:
                self.arrivals.setdefault(text, now)
        self.changed.set()
        return web.json_response({})

    async def answer(self, request):
        return web.json_response({})

    async def has(self, texts):
        """Waits until all texts have arrived."""
        async with asyncio.timeout(GIVE_UP):
            while not all(text in self.arrivals for text in texts):
                self.changed.clear()
                await self.changed.wait()


def registration(folder, port):
    path = os.path.join(folder, "registration.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("""\
id: measured
url: http://127.0.0.1:%d
as_token: %s
hs_token: %s
sender_localpart: measured
rate_limited: false
namespaces:
  users: [{exclusive: true, regex: '@measured_.*:bridge\\.test'}]
  aliases: []
  rooms: []
""" % (port, TOKENS["as"], TOKENS["hs"]))
    return path


def synapse(python, folder, registered):
    """Synapse as it configures itself, with its own database in SQLite, without limits for users and logs of requests."""
    port, path = processes.free_port(), os.path.join(folder, "homeserver.yaml")
    subprocess.run(
        [python, "-m", "synapse.app.homeserver", "--server-name", "bridge.test", "--config-path", path,
         "--generate-config", "--report-stats=no"], cwd=folder, check=True, capture_output=True)
    more = os.path.join(folder, "more.yaml")
    with open(more, "w", encoding="utf-8") as file:
        json.dump({
            "listeners": [{"port": port, "type": "http", "bind_addresses": ["127.0.0.1"],
                           "resources": [{"names": ["client"]}]}],
            "app_service_config_files": [registered],
            "trusted_key_servers": [],
            "rc_message": {"per_second": 100000, "burst_count": 100000},
            "log_config": None,
        }, file)
    command = [python, "-m", "synapse.app.homeserver", "-c", path, "-c", more]
    return processes.Program(folder, "synapse", command, port)


async def ask(session, method, path, body=None):
    async with session.request(method, path, json=body) as answer:
        result = await answer.json(content_type=None)
        if answer.status != 200:
            raise SystemExit("%s %s: %d %s" % (method, path, answer.status, result))
        return result


async def send(session, room, text):
    path = "/_matrix/client/v3/rooms/%s/send/m.room.message/%s" % (room, text)
    await ask(session, "PUT", path, {"msgtype": "m.text", "body": text})


async def send_all(session, room, texts):
    """Sends all texts, at most 16 at once."""
    queue = iter(texts)

    async def sender():
        for text in queue:
            await send(session, room, text)

    await asyncio.gather(*(sender() for _ in range(SENDERS)))


async def measure(service, server, arguments, number):
    headers = {"Authorization": "Bearer " + TOKENS["as"]}
    base = "http://127.0.0.1:%d" % server.port
    name = lambda kind, count: ["%s-%d-%d" % (kind, number, at) for at in range(count)]
    async with aiohttp.ClientSession(base, headers=headers, timeout=aiohttp.ClientTimeout(60)) as session:
        room = (await ask(session, "POST", "/_matrix/client/v3/createRoom", {"name": "measured"}))["room_id"]
        await send(session, room, "warm-%d" % number)
        await service.has(["warm-%d" % number])
        waits = []
        for text in name("single", arguments.singles):
            await send(session, room, text)
            answered = time.perf_counter()
            await service.has([text])
            waits.append(max(0.0, service.arrivals[text] - answered))
        live = name("live", arguments.events)
        began = time.perf_counter()
        await send_all(session, room, live)
        sent = time.perf_counter()
        await service.has(live)
        live_rate = len(live) / (max(service.arrivals[text] for text in live) - began)
        backlog = name("backlog", arguments.events)
        service.is_down, service.refused = True, 0
        await send_all(session, room, backlog)
        async with asyncio.timeout(GIVE_UP):
            while not service.refused:
                await asyncio.sleep(0.05)
        service.is_down = False
        await service.has(backlog)
        moments = [service.arrivals[text] for text in backlog]
        # The first transaction may be the one that was refused: the rate is that of the others.
        later = [moment for moment in moments if moment > min(moments)]
        backlog_rate = len(later) / (max(moments) - min(moments)) if later else None
    return {
        "single_p50_ms": round(statistics.median(waits) * 1000, 3),
        "live_events_per_second": round(live_rate, 1),
        "sends_per_second": round(len(live) / (sent - began), 1),
        "backlog_events_per_second": backlog_rate and round(backlog_rate, 1),
    }


async def run(arguments, folder):
    for number in range(arguments.rounds):
        for name in ("rookery", "synapse"):
            place = os.path.join(folder, "%s-%d" % (name, number))
            os.mkdir(place)
            service = Service()
            await service.start()
            registered = registration(place, service.port)
            if name == "rookery":
                server = processes.rookery(arguments.rookery, place)
                server.start()
                processes.until(lambda: server.has_said("listening on"), "the server takes orders")
                processes.register(arguments.rookery, place, registered)
            else:
                server = synapse(arguments.synapse, place, registered)
                server.start()
            try:
                figures = await measure(service, server, arguments, number)
            except BaseException:
                print(server.text()[-3000:])
                raise
            finally:
                server.kill()
                await service.runner.cleanup()
            print(json.dumps({"server": name, "round": number, **figures}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rookery")
    parser.add_argument("synapse")
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--singles", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(arguments, folder))


if __name__ == "__main__":
    main()
