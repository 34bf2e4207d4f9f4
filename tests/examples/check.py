#!/usr/bin/env python3
"""Runs the programs in `examples/` against a server, as their users would.

    python3 tests/examples/check.py target/debug/rookery
"""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
WAIT = 60


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
    """A program with its output in a file. It ends with this object."""

    def __init__(self, folder, name, command):
        self.path = os.path.join(folder, name + ".out")
        with open(self.path, "ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)

    def text(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def stop(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(WAIT)


def ask(address, token, query, **variables):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=WAIT) as answer:
        result = json.load(answer)
    assert not result.get("errors"), result
    return result["data"]


def messages(address, token, room):
    page = ask(
        address, token,
        "query($room: RoomID!) { room(by: {roomId: $room}) { timeline(last: 100) { nodes { sequence sender { userId } "
        "... on MessageEvent { text } } } } }", room=room)["room"]["timeline"]["nodes"]
    return [event for event in page if event.get("text") is not None]


def say(address, token, room, body):
    said = ask(
        address, token,
        "mutation($room: RoomID!, $body: String!) { sendMessage(input: {roomId: $room, body: $body}) "
        "{ event { sequence } refusal { message } } }", room=room, body=body)["sendMessage"]
    assert not said["refusal"], said
    return said["event"]["sequence"]


def check_bot(address, token, folder, start):
    """The bot answers each message once, although it is killed in between."""
    bot = start("bot", ["bot.py", address, "pingbot", "a long password", os.path.join(folder, "bot.json")])
    until(lambda: os.path.exists(os.path.join(folder, "bot.json")), "the bot logs in")
    made = ask(
        address, token,
        'mutation { createRoom(input: {name: "Ping", invite: ["@pingbot:localhost"]}) { room { roomId } '
        "refusal { message } } }")["createRoom"]
    assert not made["refusal"], made
    room = made["room"]["roomId"]
    members = "query($room: RoomID!) { room(by: {roomId: $room}) { memberCount } }"
    # The bot hears the messages that come after its join.
    until(lambda: ask(address, token, members, room=room)["room"]["memberCount"] == 2, "the bot joins the room")
    pings = []
    for _ in range(4):
        pings += [say(address, token, room, "!ping") for _ in range(5)]
        answered = len(pings) - 2
        pongs = lambda: [it["text"] for it in messages(address, token, room) if it["text"].startswith("pong")]
        until(lambda: len(pongs()) >= answered, "the bot answers %d messages" % answered)
        bot.stop()
        bot = start("bot", ["bot.py", address, "pingbot", "a long password", os.path.join(folder, "bot.json")])
    until(lambda: len(pongs()) >= len(pings), "the bot answers all messages")
    bot.stop()
    assert sorted(pongs()) == sorted("pong to %d" % number for number in pings), pongs()
    return room


def check_archive(address, token, folder, start):
    """The archive ends equal to the server, although it is killed at random while others write, redact and join."""
    path = os.path.join(folder, "rooms.sqlite")
    command = ["archive.py", address, token, path]
    dice = random.Random(0x5EED)
    kills = int(os.environ.get("ROOKERY_ARCHIVE_KILLS", "20"))
    ben = ask(
        address, None, 'mutation { register(input: {username: "ben", password: "correct horse"}) { token } }')
    ben = ben["register"]["token"]
    create = 'mutation($name: String!) { createRoom(input: {name: $name, preset: PUBLIC}) { room { roomId } } }'
    rooms = [ask(address, token, create, name=name)["createRoom"]["room"]["roomId"] for name in ("Nest", "Tower")]
    # A room with a past, which is joined later.
    later = ask(address, ben, create, name="Rookery")["createRoom"]["room"]["roomId"]
    for number in range(5):
        say(address, ben, later, "before %d" % number)
    join = "mutation($room: RoomID!) { joinRoom(input: {room: {roomId: $room}}) { refusal { message } } }"
    redact = (
        "mutation($room: RoomID!, $event: EventID!) { redactEvent(input: {roomId: $room, eventId: $event}) "
        "{ refusal { message } } }")
    archive = start("archive", command)
    for number in range(kills):
        room = dice.choice(rooms)
        for line in range(dice.randrange(1, 8)):
            say(address, token, room, "line %d of %d" % (line, number))
        if dice.randrange(3) == 0:
            event = dice.choice(copy_of(address, token, room))[1]
            ask(address, token, redact, room=room, event=event)
        if number == kills // 2:
            ask(address, token, join, room=later)
            rooms.append(later)
        # Somewhere between its start and its last acknowledgement.
        time.sleep(dice.random() / 4)
        archive.stop()
        archive = start("archive", command)

    def is_equal():
        if not os.path.exists(path):
            return False
        database = sqlite3.connect("file:%s?mode=ro" % path, uri=True, timeout=WAIT)
        try:
            query = "SELECT sequence, event, type, sender, text FROM events WHERE room = ? ORDER BY sequence"
            return all(database.execute(query, (room,)).fetchall() == copy_of(address, token, room) for room in rooms)
        finally:
            database.close()
    until(is_equal, "the archive is equal to the server")
    archive.stop()


def copy_of(address, token, room):
    """All events of a room, in order."""
    events, before = [], None
    while True:
        page = ask(
            address, token,
            "query($room: RoomID!, $before: Cursor) { room(by: {roomId: $room}) { timeline(last: 100, before: $before) { "
            "nodes { sequence eventId type sender { userId } ... on MessageEvent { text } } "
            "pageInfo { hasPreviousPage startCursor } } } }", room=room, before=before)["room"]["timeline"]
        nodes = page["nodes"]
        events = [(it["sequence"], it["eventId"], it["type"], it["sender"]["userId"], it.get("text")) for it in nodes] + events
        if not page["pageInfo"]["hasPreviousPage"]:
            return sorted(events)
        before = page["pageInfo"]["startCursor"]


def main(program):
    running = []
    with tempfile.TemporaryDirectory() as folder:
        def start(name, arguments):
            command = [sys.executable, os.path.join(EXAMPLES, arguments[0]), *arguments[1:]]
            running.append(Running(folder, name, command))
            return running[-1]
        command = [program, "--data", os.path.join(folder, "data"), "--listen", "127.0.0.1:0"]
        server = Running(folder, "server", command)
        running.append(server)
        try:
            found = until(lambda: re.search(r"listening on (http://[\d.:]+)", server.text()), "the server starts")
            address = found.group(1) + "/graphql"
            ann = ask(
                address, None,
                'mutation { register(input: {username: "ann", password: "correct horse"}) { token } }')
            token = ann["register"]["token"]
            check_bot(address, token, folder, start)
            check_archive(address, token, folder, start)
        except BaseException:
            for process in running:
                print("--- %s\n%s" % (process.path, process.text()[-2000:]), file=sys.stderr)
            raise
        finally:
            for process in reversed(running):
                process.stop()
    print("the examples answer, continue and miss nothing")


if __name__ == "__main__":
    main(sys.argv[1])
