"""A server, the programs that run beside it, and what their users say to the server."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
WAIT = 60

# How often the programs that may be killed at any time are killed.
KILLS = max(20, int(os.environ.get("ROOKERY_EXAMPLE_KILLS", "20")))


def until(condition, what):
    """Waits for a condition, and names it if it does not come true."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit("gave up after %d s: %s" % (WAIT, what))


class Running:
    """A program with its output in a file, which can be killed and started again."""

    def __init__(self, folder, name, command):
        self.path = os.path.join(folder, name + ".out")
        self.command, self.process, self.begins = command, None, 0
        open(self.path, "ab").close()
        self.start()

    def start(self):
        self.begins = len(self.text())
        with open(self.path, "ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output)

    def text(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(WAIT)

    def kill_and_start(self):
        self.stop()
        self.start()


class World:
    """The server and the programs; all end with it."""

    def __init__(self, program, folder):
        self.folder, self.running = folder, []
        with socket.socket() as free:
            # It is started again at the same address.
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % free.getsockname()[1]
        self.address = "http://%s/graphql" % address
        self.data = os.path.join(folder, "data")
        self.server = self.run("server", [program, "serve", "--data", self.data, "--listen", address])
        self.await_server()

    def run(self, name, command):
        self.running.append(Running(self.folder, name, command))
        return self.running[-1]

    def example(self, name, file, *arguments):
        """Starts an example in Python."""
        return self.run(name, [sys.executable, os.path.join(EXAMPLES, file), *arguments])

    def await_server(self):
        server = self.server
        until(lambda: re.search(r"listening on http", server.text()[server.begins:]), "the server starts")

    def kill_server(self):
        self.server.kill_and_start()
        self.await_server()

    def register(self, name):
        query = 'mutation($name: String!) { register(input: {username: $name, password: "correct horse"}) { token } }'
        return User(self, name, self.ask(None, query, name=name)["register"]["token"])

    def ask(self, token, query, **variables):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        body = json.dumps({"query": query, "variables": variables}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.address, body, headers), timeout=WAIT) as answer:
            result = json.load(answer)
        assert not result.get("errors"), result
        return result["data"]

    def close(self):
        for program in reversed(self.running):
            program.stop()


class User:
    """A user who talks to the server."""

    def __init__(self, world, name, token):
        self.world, self.token, self.user_id = world, token, "@%s:localhost" % name

    def ask(self, query, **variables):
        return self.world.ask(self.token, query, **variables)

    def try_to(self, mutation, **fields):
        """Carries out a mutation; returns its payload, which may be a refusal."""
        kind = mutation[0].upper() + mutation[1:] + "Input"
        answers = {"createRoom": "room { roomId }", "sendMessage": "event { eventId sequence }"}.get(mutation, "")
        query = "mutation($input: %s!) { it: %s(input: $input) { %s refusal { code message } } }" % (kind, mutation, answers)
        return self.ask(query, input=fields)["it"]

    def act(self, mutation, **fields):
        payload = self.try_to(mutation, **fields)
        assert not payload["refusal"], payload
        return payload

    def create_room(self, **fields):
        return self.act("createRoom", **fields)["room"]["roomId"]

    def say(self, room, body):
        return self.act("sendMessage", roomId=room, body=body)["event"]["sequence"]

    def members(self, room):
        query = "query($room: RoomID!) { room(by: {roomId: $room}) { memberCount } }"
        return self.ask(query, room=room)["room"]["memberCount"]

    def timeline(self, room):
        """All events of a room, in order."""
        events, before = [], None
        query = (
            "query($room: RoomID!, $before: Cursor) { room(by: {roomId: $room}) { timeline(last: 100, before: $before) { "
            "nodes { sequence depth eventId type stateKey sender { userId } sentAt content isRedacted text } "
            "pageInfo { hasPreviousPage startCursor } } } }")
        while True:
            page = self.ask(query, room=room, before=before)["room"]["timeline"]
            events = page["nodes"] + events
            if not page["pageInfo"]["hasPreviousPage"]:
                return events
            before = page["pageInfo"]["startCursor"]

    def texts(self, room, sender):
        """The messages of a user, in order."""
        return [it["text"] for it in self.timeline(room) if it["text"] is not None and it["sender"]["userId"] == sender.user_id]


def opened(path):
    """A database of another program. If that was killed, the next one to open it may have to undo what it began."""
    return sqlite3.connect(path, timeout=WAIT)
