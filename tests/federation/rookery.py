"""A user of Rookery, over GraphQL, with the verbs that a user of Synapse has too."""

import json
import threading
import time
import urllib.request

from people import Refused, User

__all__ = ["Refused", "RookeryUser", "Stream"]

EVENT = "eventId type stateKey sender { userId } content isRedacted isLate isSuperseded depth sequence after"


class RookeryUser(User):
    """A user of Rookery. Actions are repeated until they are answered."""

    def __init__(self, server, name):
        super().__init__(server.port, name)
        self.server, self.user_id = server, "@%s:%s" % (name, server.server_name)

    def create_room(self, version="12", is_public=True, alias=None, **given):
        if alias:
            given["alias"] = "#%s:%s" % (alias, self.server.server_name)
        made = self.act("createRoom", "room { roomId }", roomVersion=version,
                        preset="PUBLIC" if is_public else "PRIVATE", **given)
        return made["room"]["roomId"]

    @staticmethod
    def by(room):
        return {"alias": room} if room.startswith("#") else {"roomId": room}

    def join(self, room, via=()):
        """Joins by the ID or the alias. `via` are the servers that may let the user in."""
        while True:
            made = self.act("joinRoom", "room { roomId } isPending", room=self.by(room), via=list(via))
            if not made["isPending"]:
                return made["room"]["roomId"]
            # Other servers have not answered in time. The same action has the outcome later.
            self.action -= 1
            time.sleep(0.2)

    def leave(self, room):
        self.act("leaveRoom", "", roomId=room)

    def invite(self, room, user):
        self.act("inviteUser", "", roomId=room, userId=user)

    def kick(self, room, user):
        self.act("kickUser", "", roomId=room, userId=user)

    def ban(self, room, user):
        self.act("banUser", "", roomId=room, userId=user)

    def unban(self, room, user):
        self.act("unbanUser", "", roomId=room, userId=user)

    def act_now(self, name, /, **given):
        """An action without a number: what it does is not stored."""
        kind = name[0].upper() + name[1:] + "Input"
        query = "mutation($input: %s!) { %s(input: $input) { refusal { code message } } }" % (kind, name)
        assert self.ask(query, input=given)[name]["refusal"] is None

    def act_on_room(self, name, /, **given):
        """An action, and the ID of its event; nothing if it held already."""
        event = self.act(name, "event { eventId }", **given)["event"]
        return event and event["eventId"]

    def say(self, room, text):
        return self.act_on_room("sendMessage", roomId=room, body=text)

    def edit(self, room, event, text):
        return self.act_on_room("sendMessage", roomId=room, body=text, edits=event)

    def react(self, room, event, key):
        return self.act_on_room("addReaction", roomId=room, eventId=event, key=key)

    def redact(self, room, event):
        return self.act_on_room("redactEvent", roomId=room, eventId=event)

    def set_name(self, room, name):
        return self.act_on_room("setRoomName", roomId=room, name=name)

    def set_topic(self, room, topic):
        return self.act_on_room("setRoomTopic", roomId=room, topic=topic)

    def set_state(self, room, kind, content, key=""):
        return self.act_on_room("setRoomState", roomId=room, type=kind, stateKey=key, content=content)

    def set_level(self, room, user, level):
        levels = {"users": [{"userId": user, "level": level}]}
        return self.act_on_room("setPowerLevels", roomId=room, powerLevels=levels)

    def set_join_rule(self, room, rule, allowed=()):
        rule = {"kind": rule.upper(), "allowedRooms": list(allowed)}
        return self.act_on_room("setJoinRule", roomId=room, joinRule=rule)

    def upgrade(self, room, version):
        made = self.act("upgradeRoom", "replacement { roomId }", roomId=room, newVersion=version)
        return made["replacement"]["roomId"]

    def room(self, room, fields, **variables):
        """Fields of a room; `None` if the user cannot see it."""
        kinds = {"after": "String", "before": "Cursor"}
        more = "".join(", $%s: %s" % (name, kinds[name]) for name in variables)
        query = "query($by: RoomBy!%s) { room(by: $by) { %s } }" % (more, fields)
        return self.ask(query, by=self.by(room), **variables)["room"]

    def pages(self, room, field, fields, pass_on="after", step="first"):
        """All nodes of a list of the room, page after page."""
        nodes, cursor = [], None
        while True:
            page = "%s: 100, %s: $%s" % (step, pass_on, pass_on)
            call = field[:-1] + ", " + page + ")" if field.endswith(")") else "%s(%s)" % (field, page)
            name = field.split("(")[0]
            info = "pageInfo { endCursor startCursor hasNextPage hasPreviousPage }"
            found = self.room(room, "%s { nodes { %s } %s }" % (call, fields, info), **{pass_on: cursor})
            if found is None:
                return None
            info = found[name]["pageInfo"]
            nodes = nodes + found[name]["nodes"] if step == "first" else found[name]["nodes"] + nodes
            if not info["hasNextPage" if step == "first" else "hasPreviousPage"]:
                return nodes
            cursor = info["endCursor" if step == "first" else "startCursor"]

    def holders(self, room):
        """The events of the room's state: their contents and IDs, by type and state key."""
        nodes = self.pages(room, "state", "eventId type stateKey content")
        return {(it["type"], it["stateKey"]): (it["eventId"], it["content"]) for it in nodes}

    def state(self, room):
        """The IDs of the events of the room's state, by type and state key."""
        return {entry: event for entry, (event, _) in self.holders(room).items()}

    def content(self, room, kind, key=""):
        """The content of an entry of the state; `None` without one."""
        return self.holders(room).get((kind, key), (None, None))[1]

    def members(self, room, membership="join"):
        nodes = self.pages(room, "members(membership: %s)" % membership.upper(), "userId")
        return {it["userId"] for it in nodes or []}

    def timeline(self, room, fields=EVENT):
        """All events of the timeline, oldest first."""
        return self.pages(room, "timeline", fields, "before", "last")

    def heard(self, room, last=None):
        """The messages of a room, oldest first: sender and text; or those of the `last` events alone."""
        fields = "type sender { userId } text content"
        if last:
            found = self.room(room, "timeline(last: %d) { nodes { %s } }" % (last, fields))
            nodes = found["timeline"]["nodes"] if found else []
        else:
            nodes = self.timeline(room, fields) or []
        return [(it["sender"]["userId"], it["text"]) for it in nodes
                if it["type"] == "m.room.message" and it["text"] is not None
                and "m.relates_to" not in it["content"]]

    def look_at(self, event, fields):
        """Fields of an event; `None` if the user cannot see it."""
        return self.ask("query($event: EventID!) { event(eventId: $event) { %s } }" % fields, event=event)["event"]

    def event(self, _room, event):
        """One event; `None` if the user does not get it."""
        return self.look_at(event, "eventId type content sender { userId }")

    def text_of(self, _room, event):
        """The text of a message after its edits; `None` once it is redacted."""
        found = self.look_at(event, "content editedContent")
        return (found["editedContent"] or found["content"]).get("body")

    def reactions(self, _room, event):
        """Who reacts to an event, and with which key."""
        found = self.look_at(event, "reactions { nodes { key users { nodes { userId } } } }")
        return {(it["key"], user["userId"]) for it in found["reactions"]["nodes"] for user in it["users"]["nodes"]}

    def follow(self, includes_late=False):
        """What comes on the user's stream from now on."""
        return Stream(self, includes_late)


class Stream:
    """A stream of a user. It goes on from its last position when the server is back."""

    def __init__(self, user, includes_late):
        self.user, self.includes_late = user, includes_late
        self.items, self.skipped, self.position, self.is_over = [], [], None, False
        self.began = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()
        assert self.began.wait(30), "the stream did not begin"

    def run(self):
        while not self.is_over:
            try:
                self.read()
            except (OSError, ValueError):
                threading.Event().wait(0.1)

    def read(self):
        query = """subscription($after: Position, $late: Boolean!) {
            eventStream(after: $after, filter: { conditions: { includeLate: $late } }) { position
                skipped { roomId first last reason }
                events { __typename ... on RoomEvent { room { roomId } %s }
                    ... on StateResolved { room { roomId } type stateKey event { eventId } } } } }""" % EVENT
        variables = {"after": self.position, "late": self.includes_late}
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self.user.address, body, {
            "Content-Type": "application/json", "Accept": "text/event-stream",
            "Authorization": "Bearer " + self.user.token})
        with urllib.request.urlopen(request, timeout=60) as answer:
            for line in answer:
                if self.is_over:
                    return
                if line.startswith(b"data: {"):
                    result = json.loads(line[6:])
                    if result.get("errors"):
                        raise ValueError(result["errors"])
                    chunk = result["data"]["eventStream"]
                    self.items += chunk["events"]
                    self.skipped += chunk["skipped"]
                    self.position = chunk["position"]
                    self.began.set()

    def events(self, room):
        """The events of a room that came, in the order in which they came."""
        return [it for it in list(self.items) if it.get("room", {}).get("roomId") == room]

    def close(self):
        self.is_over = True
