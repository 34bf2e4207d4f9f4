#!/usr/bin/env python3
"""Writes the messages of a room to the standard output, one JSON object on each line, and goes on with new ones.

It needs Python 3.8 and nothing else:

    python3 archive.py http://127.0.0.1:8008/graphql TOKEN '!room'

The home screen, the pages behind it and the stream describe one history: the program checks that the numbers of the
events go on without a gap.
"""

import json
import sys
import urllib.error
import urllib.request

HOME = """
query Home {
  initialSync(first: 1) { position }
}
"""

PAGE = """
query Page($room: RoomID!, $before: Cursor) {
  room(by: {roomId: $room}) {
    timeline(last: 100, before: $before) {
      nodes { sequence sentAt sender { userId } ... on MessageEvent { text } }
      pageInfo { hasPreviousPage startCursor }
    }
  }
}
"""

STREAM = """
subscription Stream($after: Position!) {
  eventStream(after: $after) {
    events {
      __typename
      ... on RoomEvent { sequence sentAt room { roomId } sender { userId } ... on MessageEvent { text } }
    }
    skipped { roomId first last }
    position
  }
}
"""


def post(address, token, query, variables, accept):
    headers = {"Content-Type": "application/json", "Accept": accept, "Authorization": "Bearer " + token}
    body = json.dumps({"query": query, "variables": variables}).encode()
    try:
        return urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=40)
    except urllib.error.HTTPError as error:
        # The body says what is wrong, and where.
        raise SystemExit("%s: %s" % (error, error.read().decode())) from error


def ask(address, token, query, **variables):
    with post(address, token, query, variables, "application/graphql-response+json") as answer:
        result = json.load(answer)
    if result.get("errors"):
        raise SystemExit(result["errors"][0]["message"])
    return result["data"]


def timeline(address, token, room):
    """All events that the room has now, oldest first."""
    events, before = [], None
    while True:
        found = ask(address, token, PAGE, room=room, before=before)["room"]
        if not found:
            raise SystemExit("there is no such room, or you may not see it")
        page = found["timeline"]
        events = page["nodes"] + events
        if not page["pageInfo"]["hasPreviousPage"]:
            return events
        before = page["pageInfo"]["startCursor"]


def show(event):
    if event.get("text") is not None:
        kept = {"sequence": event["sequence"], "sentAt": event["sentAt"], "sender": event["sender"]["userId"]}
        print(json.dumps({**kept, "text": event["text"]}, ensure_ascii=False), flush=True)


def follow(address, token, room, position, last):
    """New events, from the home screen's position on. `last` is the number of the last event of the timeline."""
    with post(address, token, STREAM, {"after": position}, "text/event-stream") as answer:
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            chunk = json.loads(line[6:])["data"]["eventStream"]
            here = [event for event in chunk["events"] if event.get("room", {}).get("roomId") == room]
            left_out = [range(it["first"], it["last"] + 1) for it in chunk["skipped"] if it["roomId"] == room]
            for event in here:
                # The timeline was read after the home screen, so it may have the first events of the stream already.
                if event["sequence"] <= last:
                    continue
                while any(last + 1 in numbers for numbers in left_out):
                    last += 1
                assert event["sequence"] == last + 1, "event %d is missing" % (last + 1)
                last = event["sequence"]
                show(event)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    address, token, room = sys.argv[1:]
    position = ask(address, token, HOME)["initialSync"]["position"]
    events = timeline(address, token, room)
    for event in events:
        show(event)
    follow(address, token, room, position, max(event["sequence"] for event in events))
