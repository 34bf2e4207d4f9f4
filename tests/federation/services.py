"""Services of a server of ours: a bridge that takes transactions, and a bot that consumes."""

import http.server
import json
import os
import sqlite3
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from processes import until
from rookery import RookeryUser

ARCHIVE = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "archive.py")

CONSUME = """subscription($name: String!, $late: Boolean!) {
    consume(name: $name, from: { beginning: true }, filter: { conditions: { includeLate: $late } }) {
        position batch
        skipped { roomId first last reason }
        events { __typename
            ... on RoomEvent { eventId type sequence isLate text room { roomId } sender { userId } }
            ... on RoomOpened { sequence room { roomId name memberCount } }
            ... on RoomClosed { roomId closingReason } } } }"""


def add(world, server, name, registration):
    """Adds a service, and returns what the command prints: a token of our own registrations."""
    until(lambda: server.has_said("listening on http"), "the server has made its folder")
    path = os.path.join(os.path.dirname(server.data), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(registration)
    command = [world.program, "service", "add", path, "--data", server.data]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def remove(world, server, name):
    command = [world.program, "service", "remove", name, "--data", server.data]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


class Bridge:
    """A bridge on a port of its own. Its users begin with `_NAME_`."""

    def __init__(self, world, server, name):
        self.world, self.server, self.name = world, server, name
        self.token, self.pushed, self.transactions = "the_as_token_of_" + name, [], []
        # Users and aliases that it makes when the server asks for them.
        self.makes = set()
        bridge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                bridge.take(self.path.rpartition("/")[2], body["events"])
                self.answer(200)

            def do_GET(self):
                kind, name = [urllib.parse.unquote(part) for part in self.path.split("?")[0].split("/")[-2:]]
                self.answer(200 if name in bridge.makes and bridge.make(kind, name) else 404)

            def answer(self, status):
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()
        add(world, server, name + ".yaml", json.dumps({
            "id": name, "url": "http://127.0.0.1:%d" % self.listener.server_port, "as_token": self.token,
            "hs_token": "the_hs_token_of_" + name, "sender_localpart": name, "rate_limited": False,
            "namespaces": {"users": [{"regex": "@_%s_.*" % name, "exclusive": True}],
                           "aliases": [{"regex": "#_%s_.*" % name, "exclusive": True}], "rooms": []}}))

    def take(self, transaction, events):
        if transaction not in self.transactions:
            self.transactions.append(transaction)
            self.pushed += events

    def make(self, kind, name):
        """Makes a user or a room that the server asks for."""
        localpart = name[1:].split(":")[0]
        if kind == "users":
            return self.make_user(localpart.removeprefix("_%s_" % self.name))
        return self.ok("POST", "createRoom", {"room_alias_name": localpart, "preset": "public_chat"})["room_id"]

    def user_id(self, localpart):
        return "@%s:%s" % (localpart, self.server.server_name)

    def call(self, method, path, body=None, user=None, **query):
        """A call of the bridge: status and answer."""
        if user:
            query["user_id"] = user
        address = "http://127.0.0.1:%d/_matrix/client/v3/%s?%s" % (
            self.server.port, path, urllib.parse.urlencode(query, doseq=True))
        body = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        request = urllib.request.Request(address, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def ok(self, *given, **named):
        status, answer = self.call(*given, **named)
        assert status == 200, (given, status, answer)
        return answer

    def make_user(self, name):
        localpart = "_%s_%s" % (self.name, name)
        self.ok("POST", "register", {"type": "m.login.application_service", "username": localpart})
        return self.user_id(localpart)

    def join(self, room, user=None, **query):
        return self.ok("POST", "join/" + urllib.parse.quote(room, safe=""), {}, user, **query)["room_id"]

    def said(self, room):
        """The messages of a room in the transactions, in their order."""
        return [(it["sender"], it["content"]["body"]) for it in list(self.pushed)
                if it["room_id"] == room and it["type"] == "m.room.message"]

    def members(self, room):
        """The member events of a room in the transactions, in their order."""
        return [(it["state_key"], it["content"]["membership"]) for it in list(self.pushed)
                if it["room_id"] == room and it["type"] == "m.room.member"]

    def close(self):
        remove(self.world, self.server, self.name)
        self.listener.shutdown()
        self.listener.server_close()


class Bot(RookeryUser):
    """The bot of a service with claims of its own. It consumes from the beginning, and acknowledges."""

    def __init__(self, world, server, name, claims):
        self.world, self.name = world, name
        token = add(world, server, name + ".toml", 'name = "%s"\n%s' % (name, claims))
        self.server, self.user_id = server, "@%s:%s" % (name, server.server_name)
        self.address, self.token, self.action = "http://127.0.0.1:%d/graphql" % server.port, token, 0
        self.items, self.skipped, self.batches, self.is_over = [], [], set(), False
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.is_over:
            try:
                self.read()
            except (OSError, ValueError):
                threading.Event().wait(0.1)

    def read(self):
        body = json.dumps({"query": CONSUME, "variables": {"name": "all", "late": True}}).encode()
        request = urllib.request.Request(self.address, body, {
            "Content-Type": "application/json", "Accept": "text/event-stream", "Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=60) as answer:
            for line in answer:
                if self.is_over:
                    return
                if line.startswith(b"data: {"):
                    result = json.loads(line[6:])
                    if result.get("errors"):
                        raise ValueError(result["errors"])
                    self.take(result["data"]["consume"])

    def take(self, chunk):
        if chunk["batch"] not in self.batches:
            self.items += chunk["events"]
            self.skipped += chunk["skipped"]
        if chunk["batch"]:
            self.batches.add(chunk["batch"])
            query = """mutation($position: Position!, $batch: ID!) {
                acknowledge(input: { name: "all", position: $position, batch: $batch }) { refusal { code } } }"""
            self.ask(query, position=chunk["position"], batch=chunk["batch"])

    def told(self, room):
        """The items of a room as short texts, in their order."""
        def text(item):
            kind = item["__typename"]
            if kind == "RoomClosed":
                return "closed " + item["closingReason"]
            return "opened" if kind == "RoomOpened" else item.get("text") or item["type"]
        return [text(it) for it in list(self.items)
                if room in (it.get("roomId"), (it.get("room") or {}).get("roomId"))]

    def close(self):
        self.is_over = True
        remove(self.world, self.server, self.name)


class Archive:
    """`examples/archive.py`, which copies the rooms of a user."""

    COLUMNS = "sequence, depth, event, type, state_key, sender, sent, content, redacted"
    FIELDS = "sequence depth eventId type stateKey sender { userId } sentAt content isRedacted"

    def __init__(self, world, user):
        self.user, self.path = user, os.path.join(world.folder, "archive of %s.sqlite" % user.user_id[1:].split(":")[0])
        self.log = self.path + ".log"
        self.command = [world.options.client, "-B", ARCHIVE, user.address, user.token, self.path]
        self.start()

    def start(self):
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=environment)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def copy(self, room):
        """The events of a room, in the order that the archive promises."""
        if not os.path.exists(self.path):
            return []
        database = sqlite3.connect("file:%s?mode=ro" % self.path, uri=True, timeout=30)
        try:
            query = "SELECT %s FROM events WHERE room = ? ORDER BY depth, sequence" % self.COLUMNS
            return database.execute(query, (room,)).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            database.close()

    def expected(self, room):
        """The same from the server."""
        return [
            (it["sequence"], it["depth"], it["eventId"], it["type"], it["stateKey"], it["sender"]["userId"], it["sentAt"],
             json.dumps(it["content"], sort_keys=True), int(it["isRedacted"]))
            for it in self.user.timeline(room, self.FIELDS)]

    def differences(self, room):
        """What is not the same, and nothing once all is."""
        copied, expected = self.copy(room), self.expected(room)
        if copied == expected:
            return []
        only = [event for event in expected if event not in copied], [event for event in copied if event not in expected]
        return only if any(only) else ["another order"]
