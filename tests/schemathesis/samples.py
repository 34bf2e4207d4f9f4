"""Existing objects on the server, so that requests about them get data."""

import json
import os
import urllib.request

URL = os.environ["ROOKERY_URL"] + "/graphql"
PASSWORD = "correct horse battery staple"


def ask(token, document, **variables):
    """Sends one request; returns the value of its one field, and fails on errors and refusals."""
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    body = json.dumps({"query": document, "variables": variables}).encode()
    with urllib.request.urlopen(urllib.request.Request(URL, body, headers), timeout=60) as response:
        answer = json.load(response)
    assert "errors" not in answer, answer
    (payload,) = answer["data"].values()
    assert not payload.get("refusal"), payload
    return payload


def register(username):
    document = """mutation ($username: String!, $password: String!) {
      register(input: { username: $username, password: $password }) {
        token user { id userId } refusal { message }
      }
    }"""
    return ask(None, document, username=username, password=PASSWORD)


def create_room(token, preset, invite, alias=None):
    document = """mutation ($preset: RoomPreset!, $invite: [UserID!]!, $alias: RoomAlias) {
      createRoom(input: { name: "Tea", preset: $preset, invite: $invite, alias: $alias, isListed: true }) {
        room { id roomId } refusal { message }
      }
    }"""
    return ask(token, document, preset=preset, invite=invite, alias=alias)["room"]


def send(token, room, thread=None):
    document = """mutation ($room: RoomID!, $thread: EventID) {
      sendMessage(input: { roomId: $room, body: "A cup?", threadRoot: $thread }) {
        event { id eventId } refusal { message }
      }
    }"""
    return ask(token, document, room=room, thread=thread)["event"]


def addReaction(token, room, event):
    document = """mutation ($room: RoomID!, $event: EventID!) {
      addReaction(input: { roomId: $room, eventId: $event, key: "+" }) { event { id eventId } refusal { message } }
    }"""
    return ask(token, document, room=room, event=event)["event"]


def make():
    """Fills the server; returns the token of the user who can see everything, and the samples: a list for each scalar."""
    alice, bob, carol = (register(name) for name in ("alice", "bob", "carol"))
    users = [user["user"] for user in (alice, bob, carol)]
    token, name = alice["token"], users[0]["userId"].split(":", 1)[1]
    alias = f"#tea:{name}"
    public = create_room(token, "PUBLIC", [users[1]["userId"]], alias)
    private = create_room(token, "PRIVATE", [users[1]["userId"]])
    invited = create_room(bob["token"], "PRIVATE", [users[0]["userId"]])
    stranger = create_room(carol["token"], "PUBLIC", [])
    hidden = create_room(carol["token"], "PRIVATE", [])
    rooms = [public, private, invited, stranger, hidden]
    root = send(token, public["roomId"])
    events = [root, send(token, public["roomId"], root["eventId"]), send(token, private["roomId"])]
    events += [addReaction(token, public["roomId"], root["eventId"]), send(carol["token"], hidden["roomId"])]
    sync = ask(token, "{ initialSync(first: 1) { position next rooms { timeline { pageInfo { startCursor } } } } }")
    start = [room["timeline"]["pageInfo"]["startCursor"] for room in sync["rooms"]]
    samples = {
        "RoomID": [room["roomId"] for room in [public] * 3 + rooms],
        "EventID": [event["eventId"] for event in events],
        "UserID": [user["userId"] for user in users],
        "RoomAlias": [alias],
        "Position": [sync["position"]],
        "Cursor": [cursor for cursor in start if cursor],
        "String": ["12", "Tea", "m.room.topic", "org.example.type", "mxc://example.org/cup", "erin", PASSWORD, "+"],
        "SyncCursor": [sync["next"]],
        "ID": [thing["id"] for thing in (*rooms, *events, *users)],
    }
    return token, samples
