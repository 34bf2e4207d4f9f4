#!/usr/bin/env python3
"""Copies all rooms of a user into a SQLite database, from the beginning of the log, and goes on with new events.

It needs Python 3.8 and nothing else:

    python3 archive.py http://127.0.0.1:8008/graphql TOKEN rooms.sqlite

It consumes under the name `archive`. It stores a batch in one transaction, and acknowledges it then. If it is killed in
between, the batch comes again and is stored again, with the same result. So it may be killed at any time. To copy
everything anew, delete the database and reset the consumer (`resetConsumer`).
"""

import json
import sqlite3
import sys
import time
import urllib.error
import urllib.request

FIELDS = "eventId sequence sentAt type sender { userId } ... on MessageEvent { text }"

CONSUME = """
subscription Archive {
  consume(name: "archive", from: {beginning: true}) {
    events {
      __typename
      ... on RoomEvent { %s room { roomId } }
      ... on RedactionEvent { redacts }
      ... on RoomOpened { room { roomId } cursor }
    }
    batch
    position
  }
}
""" % FIELDS

ACKNOWLEDGE = """
mutation Acknowledge($input: AcknowledgeInput!) {
  acknowledge(input: $input) { refusal { message } }
}
"""

PAGE = """
query Page($room: RoomID!, $before: Cursor) {
  room(by: {roomId: $room}) {
    timeline(last: 100, before: $before) { nodes { %s } pageInfo { hasPreviousPage startCursor } }
  }
}
""" % FIELDS

TABLE = """
CREATE TABLE IF NOT EXISTS events (
  room TEXT, sequence INTEGER, event TEXT UNIQUE, type TEXT, sender TEXT, sent TEXT, text TEXT,
  PRIMARY KEY (room, sequence)
)
"""


def post(address, token, query, variables, accept):
    headers = {"Content-Type": "application/json", "Accept": accept, "Authorization": "Bearer " + token}
    body = json.dumps({"query": query, "variables": variables}).encode()
    try:
        return urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=60)
    except urllib.error.HTTPError as error:
        # The body says what is wrong, and where.
        raise SystemExit("%s: %s" % (error, error.read().decode())) from error


def ask(address, token, query, **variables):
    with post(address, token, query, variables, "application/graphql-response+json") as answer:
        result = json.load(answer)
    if result.get("errors"):
        raise SystemExit(result["errors"][0]["message"])
    return result["data"]


def store(database, room, event):
    row = (room, event["sequence"], event["eventId"], event["type"], event["sender"]["userId"], event["sentAt"])
    database.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, event.get("text")))


def store_history(address, token, database, room, before):
    """The events of a room from before it was joined."""
    while before:
        found = ask(address, token, PAGE, room=room, before=before)["room"]
        if not found:
            return  # The user has left it since.
        for event in found["timeline"]["nodes"]:
            store(database, room, event)
        page = found["timeline"]["pageInfo"]
        before = page["startCursor"] if page["hasPreviousPage"] else None


def consume(address, token, database):
    with post(address, token, CONSUME, {}, "text/event-stream") as answer:
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            result = json.loads(line[6:])
            if result.get("errors"):
                raise SystemExit(result["errors"][0]["message"])
            chunk = result["data"]["consume"]
            with database:
                for item in chunk["events"]:
                    if item["__typename"] == "RoomOpened":
                        store_history(address, token, database, item["room"]["roomId"], item["cursor"])
                    elif "eventId" in item:
                        store(database, item["room"]["roomId"], item)
                    if item.get("redacts"):
                        database.execute("UPDATE events SET text = NULL WHERE event = ?", (item["redacts"],))
            if chunk["batch"]:
                done = {"name": "archive", "position": chunk["position"], "batch": chunk["batch"]}
                ask(address, token, ACKNOWLEDGE, input=done)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    archive = sqlite3.connect(sys.argv[3])
    archive.execute(TABLE)
    while True:
        try:
            consume(sys.argv[1], sys.argv[2], archive)
        except OSError as error:
            print("the connection ended (%s): connecting again" % error, file=sys.stderr)
        time.sleep(1)
