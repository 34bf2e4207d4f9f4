"""The two who talk: a user of Rookery, and a user of IRC with a plain socket."""

import json
import socket
import threading
import time
import urllib.error
import urllib.request


class Refused(Exception):
    """The server answered, and refused."""


class User:
    """A user of Rookery, over GraphQL. Actions are repeated until they are answered."""

    def __init__(self, port, name):
        self.address = "http://127.0.0.1:%d/graphql" % port
        self.token, self.action = None, 0
        made = self.ask(
            "mutation($name: String!) { register(input: {username: $name, password: \"correct horse\"}) { token } }",
            name=name)
        self.token = made["register"]["token"]

    def ask(self, query, **variables):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        body = json.dumps({"query": query, "variables": variables}).encode()
        end = time.monotonic() + 90
        while True:
            try:
                request = urllib.request.Request(self.address, body, headers)
                with urllib.request.urlopen(request, timeout=20) as answer:
                    result = json.load(answer)
                break
            except urllib.error.HTTPError as error:
                if error.code < 500 or time.monotonic() > end:
                    raise SystemExit("%s: %s" % (error, error.read())) from error
            except (OSError, ValueError):
                # The server is down, or was killed before it answered: the outcome is unknown.
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)
        assert not result.get("errors"), result
        return result["data"]

    def act(self, name, fields, /, **given):
        """A mutation with a number, so that a repeated one is one action."""
        self.action += 1
        kind = name[0].upper() + name[1:] + "Input"
        query = "mutation($input: %s!) { %s(input: $input) { %s refusal { code message } } }" % (kind, name, fields)
        done = self.ask(query, input={**given, "actionId": self.action})[name]
        if done["refusal"]:
            raise Refused(done["refusal"])
        return done

    def rooms(self):
        """The rooms by name, and the invites by room ID."""
        sync = self.ask("{ initialSync(first: 100) { rooms { roomId name } invites { roomId name } } }")["initialSync"]
        return {room["name"]: room["roomId"] for room in sync["rooms"]}, sync["invites"]

    def join_invited(self):
        for invite in self.rooms()[1]:
            self.act("joinRoom", "room { roomId }", room={"roomId": invite["roomId"]})

    def say(self, room, text):
        return self.act("sendMessage", "event { eventId }", roomId=room, body=text)["event"]["eventId"]

    def heard(self, room, last=100):
        """The messages of a room: sender and text."""
        query = """query($room: RoomID!, $last: Int) { room(by: {roomId: $room}) { timeline(last: $last) { nodes {
            sender { userId } ... on MessageEvent { text } } } } }"""
        nodes = self.ask(query, room=room, last=last)["room"]["timeline"]["nodes"]
        return [(it["sender"]["userId"], it["text"]) for it in nodes if it.get("text") is not None]


class Chatter:
    """A user of IRC, who connects again whenever the server comes back."""

    def __init__(self, port, nick, channel):
        self.port, self.nick, self.channel = port, nick, channel
        self.heard, self.socket, self.joined = [], None, threading.Event()
        self.lock = threading.Lock()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                self.talk()
            except OSError:
                pass
            self.joined.clear()
            time.sleep(0.1)

    def talk(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            self.socket = connection
            connection.sendall(("NICK %s\r\nUSER %s 0 * :%s\r\n" % ((self.nick,) * 3)).encode())
            rest = b""
            while data := connection.recv(65536):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self.take(line.rstrip(b"\r").decode(errors="replace"))

    def take(self, line):
        prefix, _, rest = line[1:].partition(" ") if line.startswith(":") else ("", "", line)
        command, _, rest = rest.partition(" ")
        if command == "PING":
            self.socket.sendall(("PONG %s\r\n" % rest).encode())
        elif command == "001":
            self.socket.sendall(("JOIN %s\r\n" % self.channel).encode())
        elif command == "366":
            self.joined.set()
        elif command == "PRIVMSG":
            target, _, text = rest.partition(" ")
            with self.lock:
                self.heard.append((prefix.split("!")[0], target, text[1:] if text.startswith(":") else text))

    def say(self, text):
        """Says something, if it is in the channel. Returns whether it was."""
        if not self.joined.is_set():
            return False
        try:
            self.socket.sendall(("PRIVMSG %s :%s\r\n" % (self.channel, text)).encode())
            return True
        except OSError:
            return False

    def texts(self):
        with self.lock:
            return [text for _, target, text in self.heard if target == self.channel]
