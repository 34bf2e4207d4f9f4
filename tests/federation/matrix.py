"""A user of Synapse, over the client-server API."""

import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request


def quoted(text):
    return urllib.parse.quote(text, safe="")


class MatrixUser:
    """A user of Synapse, registered with the shared secret."""

    def __init__(self, port, name):
        self.port, self.token, self.transaction, self.since = port, None, 0, None
        nonce = self.ask("GET", "/_synapse/admin/v1/register")["nonce"]
        parts = [nonce, name, "correct horse", "notadmin"]
        mac = hmac.new(b"secret of the test", "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        made = self.ask("POST", "/_synapse/admin/v1/register", {
            "nonce": nonce, "username": name, "password": "correct horse", "admin": False, "mac": mac})
        self.token, self.user_id = made["access_token"], made["user_id"]

    def ask(self, method, path, body=None, timeout=60):
        """The answer, or a `RuntimeError` with the refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path), data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError("%s %s: %d %s" % (method, path, error.code, error.read().decode())) from error

    def join(self, room, server=None):
        query = "?server_name=%s" % quoted(server) if server else ""
        return self.ask("POST", "/_matrix/client/v3/join/%s%s" % (quoted(room), query), {})["room_id"]

    def leave(self, room):
        self.ask("POST", "/_matrix/client/v3/rooms/%s/leave" % quoted(room), {})

    def say(self, room, text):
        self.transaction += 1
        path = "/_matrix/client/v3/rooms/%s/send/m.room.message/%d" % (quoted(room), self.transaction)
        return self.ask("PUT", path, {"msgtype": "m.text", "body": text})["event_id"]

    def heard(self, room, limit=1000):
        """The messages of a room, oldest first: sender and text."""
        path = "/_matrix/client/v3/rooms/%s/messages?dir=b&limit=%d" % (quoted(room), limit)
        chunk = self.ask("GET", path)["chunk"]
        said = [(it["sender"], it["content"].get("body")) for it in chunk if it["type"] == "m.room.message"]
        return [(sender, text) for sender, text in reversed(said) if text is not None]

    def members(self, room):
        path = "/_matrix/client/v3/rooms/%s/joined_members" % quoted(room)
        return set(self.ask("GET", path)["joined"])
