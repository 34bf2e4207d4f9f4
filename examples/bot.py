#!/usr/bin/env python3
"""A bot that answers `!ping` with `pong` in each room that it is invited to.

It needs Python 3.8 and nothing else:

    python3 bot.py http://127.0.0.1:8008/graphql pingbot "a long password" bot.json

The last argument names a file for the token, the position in the stream and the number of the last action. The bot
may stop at any moment, also by `kill -9`: it continues where it stopped, and answers each message once.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

STREAM = """
subscription Stream($after: Position) {
  eventStream(after: $after) {
    events {
      __typename
      ... on MessageEvent { text sequence isLate room { roomId } sender { userId } }
      ... on Invited { event { room { roomId } } }
    }
    position
  }
}
"""

SAY = """
mutation Say($room: RoomID!, $body: String!, $actionId: Int!) {
  sendMessage(input: {roomId: $room, body: $body, actionId: $actionId}) { refusal { code message } }
}
"""

JOIN = """
mutation Join($room: RoomID!, $actionId: Int!) {
  joinRoom(input: {room: {roomId: $room}, actionId: $actionId}) { refusal { code message } }
}
"""

# The server decided nothing: the same action may be sent again.
TRY_AGAIN = ("BUSY", "CONTENDED", "RATE_LIMITED")


class Server:
    """A server, and the token of a device."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def open(self, query, variables, accept):
        headers = {"Content-Type": "application/json", "Accept": accept}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        body = json.dumps({"query": query, "variables": variables}).encode()
        # The server sends a comment every 12 seconds, so a stream that is silent for longer is cut.
        return urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=40)

    def ask(self, query, **variables):
        """The `data` of an answer."""
        with self.open(query, variables, "application/graphql-response+json") as answer:
            result = json.load(answer)
        if result.get("errors"):
            raise RuntimeError(result["errors"][0]["message"])
        return result["data"]

    def chunks(self, after):
        """The chunks of the stream after a position, until the connection is cut."""
        with self.open(STREAM, {"after": after}, "text/event-stream") as answer:
            for line in answer:
                if line.startswith(b"data: {"):
                    result = json.loads(line[6:])
                    if result.get("errors"):
                        raise RuntimeError(result["errors"][0]["message"])
                    yield result["data"]["eventStream"]


class Bot:
    """The bot, and the state that it keeps in a file."""

    def __init__(self, server, user, password, path):
        self.server, self.path = server, path
        try:
            with open(path) as file:
                self.state = json.load(file)
        except FileNotFoundError:
            self.state = {"actions": 0, "position": None, **self.log_in(user, password)}
            self.save()
        server.token = self.state["token"]

    def log_in(self, user, password):
        for name in ("logIn", "register"):
            field = "mutation($user: String!, $password: String!) { it: %s(input: {username: $user, " \
                "password: $password}) { token user { userId } refusal { code message } } }" % name
            it = self.server.ask(field, user=user, password=password)["it"]
            if it["token"]:
                return {"token": it["token"], "user": it["user"]["userId"]}
        raise SystemExit("cannot log in: " + it["refusal"]["message"])

    def save(self):
        """Replaces the file, so that it is whole at any moment."""
        with open(self.path + ".new", "w") as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.path + ".new", self.path)

    def act(self, document, **variables):
        """Executes the next action. After a lost answer it sends the same number again, which acts once."""
        number = self.state["actions"] + 1
        while True:
            try:
                answer = self.server.ask(document, actionId=number, **variables)
            except (OSError, urllib.error.URLError):
                time.sleep(1)
                continue
            refusal = next(iter(answer.values()))["refusal"]
            if refusal and refusal["code"] in TRY_AGAIN:
                time.sleep(1)
                continue
            if refusal:
                print("refused:", refusal["message"], file=sys.stderr)
            self.state["actions"] = number
            return

    def hear(self, event):
        if event["__typename"] == "Invited":
            self.act(JOIN, room=event["event"]["room"]["roomId"])
        elif event["__typename"] == "MessageEvent" and event["text"] == "!ping":
            if event["sender"]["userId"] != self.state["user"] and not event["isLate"]:
                self.act(SAY, room=event["room"]["roomId"], body="pong to %d" % event["sequence"])

    def run(self):
        while True:
            try:
                for chunk in self.server.chunks(self.state["position"]):
                    # If the bot stops in here, it hears the whole chunk again, and gives its actions the same
                    # numbers: the server executes none of them twice.
                    for event in chunk["events"]:
                        self.hear(event)
                    self.state["position"] = chunk["position"]
                    self.save()
            except (OSError, urllib.error.URLError) as error:
                print("reconnecting:", error, file=sys.stderr)
            time.sleep(1)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    address, user, password, path = sys.argv[1:]
    Bot(Server(address), user, password, path).run()
