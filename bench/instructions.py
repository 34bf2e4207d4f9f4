#!/usr/bin/env python3
"""Counts the instructions that a server executes for a send: 64 senders over HTTP, each on a connection of its own.

    python3 bench/instructions.py PROGRAM one|each [SENDS]

The senders are in one room, or each in a room of its own. Each sends SENDS messages (20), after a warm-up. Needs
`valgrind`. Instructions do not depend on other programs of the machine, so two programs can be compared anywhere.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

SENDERS = 64
WARM_UP = 6
# Longest start of a server, in tenths of a second: under valgrind it takes many times as long.
START_MAX = 3000
SEND = """mutation($input: SendMessageInput!) { sendMessage(input: $input) {
    event { eventId } position refusal { code message } } }"""


class Server:
    """A server on the data in `data`, started with the words of `prefix` before its own."""

    def __init__(self, program, data, prefix=()):
        words = [*prefix, program, "serve", "--listen", "127.0.0.1:0", "--limits-rate", "none", "--data", data]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        self.lines = []
        threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True).start()
        self.address = self.listening()

    def listening(self):
        for _ in range(START_MAX):
            found = re.search(r"listening on http://(\S+)", "".join(self.lines))
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit("the server did not start:\n" + "".join(self.lines))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Client:
    def __init__(self, server, token=None):
        self.connection = http.client.HTTPConnection(server.address, timeout=600)
        self.token = token

    def run(self, document, **variables):
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = "Bearer " + self.token
        body = json.dumps({"query": document, "variables": variables})
        self.connection.request("POST", "/graphql", body, headers)
        answer = json.loads(self.connection.getresponse().read())
        (payload,) = (answer.get("data") or {"": answer}).values()
        if "errors" in answer or payload.get("refusal"):
            raise SystemExit("refused: " + json.dumps(answer))
        return payload


def prepare(server, mode):
    """Tokens and rooms of the senders."""
    senders = []
    for number in range(SENDERS):
        client = Client(server)
        account = {"username": "user%d" % number, "password": "correct horse"}
        client.run("mutation($it: RegisterInput!) { register(input: $it) { refusal { code } } }", it=account)
        document = "mutation($it: LogInInput!) { logIn(input: $it) { token } }"
        client.token = client.run(document, it=account)["token"]
        if mode == "each" or not senders:
            room = client.run("mutation { createRoom(input: {preset: PUBLIC}) { room { roomId } } }")["room"]["roomId"]
        else:
            document = "mutation($it: RoomBy!) { joinRoom(input: {room: $it}) { refusal { code } } }"
            client.run(document, it={"roomId": room})
        senders.append((client.token, room))
    return senders


def send(clients, count):
    def one(client, room):
        for number in range(count):
            body = "Has anybody seen the screwdriver that lay here? %d" % number
            client.run(SEND, input={"roomId": room, "body": body})

    threads = [threading.Thread(target=one, args=each) for each in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(program, mode, count):
    with tempfile.TemporaryDirectory() as folder:
        data, out = os.path.join(folder, "data"), os.path.join(folder, "out")
        server = Server(program, data)
        senders = prepare(server, mode)
        server.stop()
        server = Server(program, data, ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out])
        clients = [(Client(server, token), room) for token, room in senders]
        send(clients, WARM_UP)
        control = lambda word: subprocess.run(["callgrind_control", word, str(server.process.pid)], check=True,
                                              stdout=subprocess.DEVNULL)
        control("-z")
        send(clients, count)
        control("-d")
        server.stop()
        with open(out + ".1", errors="replace") as dump:
            (total,) = re.findall(r"^totals: (\d+)", dump.read(), re.MULTILINE)
        print("%d instructions for each send" % (int(total) // (SENDERS * count)))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in ("one", "each"):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else 20)
