"""A user of Synapse, over the client-server API, with the verbs that a user of Rookery has too."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from people import Refused


def quoted(text):
    return urllib.parse.quote(text, safe="")


class MatrixUser:
    """A user of Synapse, registered with the shared secret. Requests wait while the server is down."""

    def __init__(self, server, name):
        self.server, self.port, self.token, self.transaction = server, server.port, None, 0
        nonce = self.ask("GET", "/_synapse/admin/v1/register")["nonce"]
        parts = [nonce, name, "correct horse", "notadmin"]
        mac = hmac.new(b"secret of the test", "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        made = self.ask("POST", "/_synapse/admin/v1/register", {
            "nonce": nonce, "username": name, "password": "correct horse", "admin": False, "mac": mac})
        self.token, self.user_id = made["access_token"], made["user_id"]

    def ask(self, method, path, body=None, timeout=60):
        """The answer, or `Refused` with the refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path), data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        end = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(request, timeout=timeout) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                raise Refused("%s %s: %d %s" % (method, path, error.code, error.read().decode())) from error
            except OSError:
                # Repeating is safe: events have transaction IDs.
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    def of_room(self, room, rest):
        return "/_matrix/client/v3/rooms/%s/%s" % (quoted(room), rest)

    def create_room(self, version="12", is_public=True, alias=None, **given):
        if alias:
            given["room_alias_name"] = alias
        preset = "public_chat" if is_public else "private_chat"
        made = self.ask("POST", "/_matrix/client/v3/createRoom", {"room_version": version, "preset": preset, **given})
        return made["room_id"]

    def join(self, room, via=None):
        """Joins by the ID or the alias. `via` is the server that lets the user in."""
        query = "?server_name=%s&via=%s" % (quoted(via), quoted(via)) if via else ""
        return self.ask("POST", "/_matrix/client/v3/join/%s%s" % (quoted(room), query), {})["room_id"]

    def knock(self, room, via):
        query = "?server_name=%s&via=%s" % (quoted(via), quoted(via))
        return self.ask("POST", "/_matrix/client/v3/knock/%s%s" % (quoted(room), query), {})["room_id"]

    def leave(self, room):
        self.ask("POST", self.of_room(room, "leave"), {})

    def change_member(self, room, verb, user):
        self.ask("POST", self.of_room(room, verb), {"user_id": user})

    def invite(self, room, user):
        self.change_member(room, "invite", user)

    def kick(self, room, user):
        self.change_member(room, "kick", user)

    def ban(self, room, user):
        self.change_member(room, "ban", user)

    def unban(self, room, user):
        self.change_member(room, "unban", user)

    def send(self, room, kind, content):
        self.transaction += 1
        path = self.of_room(room, "send/%s/%d" % (kind, self.transaction))
        return self.ask("PUT", path, content)["event_id"]

    def say(self, room, text):
        return self.send(room, "m.room.message", {"msgtype": "m.text", "body": text})

    def edit(self, room, event, text):
        return self.send(room, "m.room.message", {
            "msgtype": "m.text", "body": "* " + text, "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event}})

    def react(self, room, event, key):
        return self.send(room, "m.reaction", {
            "m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": key}})

    def redact(self, room, event):
        self.transaction += 1
        return self.ask("PUT", self.of_room(room, "redact/%s/%d" % (quoted(event), self.transaction)), {})["event_id"]

    def set_state(self, room, kind, content, key=""):
        return self.ask("PUT", self.of_room(room, "state/%s/%s" % (kind, quoted(key))), content)["event_id"]

    def set_name(self, room, name):
        return self.set_state(room, "m.room.name", {"name": name})

    def set_topic(self, room, topic):
        return self.set_state(room, "m.room.topic", {"topic": topic})

    def set_level(self, room, user, level):
        levels = self.content(room, "m.room.power_levels")
        return self.set_state(room, "m.room.power_levels", {**levels, "users": {**levels.get("users", {}), user: level}})

    def set_join_rule(self, room, rule, allowed=()):
        content = {"join_rule": rule.lower()}
        if allowed:
            content["allow"] = [{"type": "m.room_membership", "room_id": it} for it in allowed]
        return self.set_state(room, "m.room.join_rules", content)

    def upgrade(self, room, version):
        return self.ask("POST", self.of_room(room, "upgrade"), {"new_version": version})["replacement_room"]

    def holders(self, room):
        """The events of the room's state: their contents and IDs, by type and state key."""
        events = self.ask("GET", self.of_room(room, "state"))
        return {(it["type"], it["state_key"]): (it["event_id"], it["content"]) for it in events}

    def state(self, room):
        """The IDs of the events of the room's state, by type and state key."""
        return {entry: event for entry, (event, _) in self.holders(room).items()}

    def content(self, room, kind, key=""):
        """The content of an entry of the state; `None` without one."""
        return self.holders(room).get((kind, key), (None, None))[1]

    def members(self, room, membership="join"):
        found = self.holders(room)
        return {key for (kind, key), (_, content) in found.items()
                if kind == "m.room.member" and content.get("membership") == membership}

    def timeline(self, room):
        """All events of the timeline, oldest first, as Synapse gives them to its clients."""
        events, start = [], ""
        while True:
            page = self.ask("GET", self.of_room(room, "messages?dir=b&limit=1000" + start))
            events = list(reversed(page["chunk"])) + events
            if not page["chunk"] or "end" not in page:
                return events
            start = "&from=" + page["end"]

    def event(self, room, event):
        """One event; `None` if the user does not get it."""
        try:
            return self.ask("GET", self.of_room(room, "event/%s" % quoted(event)))
        except Refused:
            return None

    def text_of(self, room, event):
        """The text of a message after its edits; `None` once it is redacted."""
        found = self.event(room, event)
        edit = found.get("unsigned", {}).get("m.relations", {}).get("m.replace")
        return edit["content"]["m.new_content"]["body"] if edit else found["content"].get("body")

    def reactions(self, room, event):
        """Who reacts to an event, and with which key."""
        path = "/_matrix/client/v1/rooms/%s/relations/%s/m.annotation/m.reaction?limit=100" % (quoted(room), quoted(event))
        found = self.ask("GET", path)["chunk"]
        return {(it["content"]["m.relates_to"]["key"], it["sender"]) for it in found if it["content"]}

    def heard(self, room, last=None):
        """The messages of a room, oldest first: sender and text; or those of the `last` events alone."""
        if last:
            page = self.ask("GET", self.of_room(room, "messages?dir=b&limit=%d" % last))
            events = list(reversed(page["chunk"]))
        else:
            events = self.timeline(room)
        said = [(it["sender"], it["content"].get("body")) for it in events
                if it["type"] == "m.room.message" and "m.relates_to" not in it["content"]]
        return [(sender, text) for sender, text in said if text is not None]
