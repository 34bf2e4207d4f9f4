"""A server that means harm: it signs what it likes, and answers what it likes.

It has only the parts that a test needs: its key, one user, and answers that a scenario gives.
"""

import hashlib
import http.client
import http.server
import json
import random
import ssl
import threading
import time

import signedjson.key
import signedjson.sign
from canonicaljson import encode_canonical_json
from matrix import quoted
from unpaddedbase64 import encode_base64


class Stranger:
    """A server without a gate."""

    def __init__(self, world):
        ca, certificate, key = world.certificates
        self.key = signedjson.key.generate_signing_key("stranger")
        self.answers, self.asked = {}, []
        self.connections, self.lock = {}, threading.Lock()
        stranger = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                stranger.respond(self, body)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The handshake belongs to the thread of the connection.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # Without a gate, which would read answers to their end.
        self.name = "localhost:%d" % server.server_address[1]
        self.user_id = "@mallory:" + self.name
        self.context = ssl.create_default_context(cafile=ca)
        self.transaction = random.randrange(1 << 40)

    def respond(self, handler, body):
        path = handler.path.split("?")[0]
        self.asked.append(path)
        if path == "/_matrix/key/v2/server":
            return reply(handler, self.published())
        for part, answer in self.answers.items():
            if part in path:
                return answer(handler, body)
        return reply(handler, {"pdus": {}} if "/send/" in path else {})

    def published(self):
        keys = {"ed25519:stranger": {"key": encode_base64(self.key.verify_key.encode())}}
        answer = {"server_name": self.name, "verify_keys": keys, "old_verify_keys": {},
                  "valid_until_ts": int(time.time() * 1000) + 86400000}
        return signedjson.sign.sign_json(answer, self.name, self.key)

    def ask(self, server, method, path, content=None):
        """A signed request: the status and the answer."""
        request = {"method": method, "uri": path, "origin": self.name, "destination": server}
        if content is not None:
            request["content"] = content
        signed = signedjson.sign.sign_json(request, self.name, self.key)
        signature = signed["signatures"][self.name]["ed25519:stranger"]
        header = 'X-Matrix origin="%s",destination="%s",key="ed25519:stranger",sig="%s"' % (self.name, server, signature)
        body = None if content is None else encode_canonical_json(content)
        headers = {"Authorization": header, "Content-Type": "application/json"}
        with self.lock:
            connection = self.connections.get(server)
            for attempt in (1, 2):
                # A connection that has been idle for long is gone.
                connection = connection or http.client.HTTPSConnection(server, timeout=60, context=self.context)
                try:
                    connection.request(method, path, body, headers)
                    answer = connection.getresponse()
                    break
                except (OSError, http.client.HTTPException):
                    connection.close()
                    connection = None
                    if attempt == 2:
                        raise
            self.connections[server] = connection
            return answer.status, json.loads(answer.read() or b"{}")

    def join(self, server, room):
        """Joins a room by the two requests, and returns what is needed to make events there."""
        path = "%s/%s" % (quoted(room), quoted(self.user_id))
        status, made = self.ask(server, "GET", "/_matrix/federation/v1/make_join/%s?ver=11&ver=12" % path)
        assert status == 200, made
        there = Membership(self, server, room)
        event = {**made["event"], "origin_server_ts": int(time.time() * 1000)}
        there.join, event = there.sign(event)
        path = "/_matrix/federation/v2/send_join/%s/%s" % (quoted(room), quoted(there.join))
        status, joined = self.ask(server, "PUT", path, event)
        assert status == 200, joined
        there.depth = event["depth"]
        there.learn(joined["state"], event)
        return there


class Membership:
    """The stranger as a member of a room."""

    def __init__(self, stranger, server, room):
        self.stranger, self.server, self.room = stranger, server, room
        self.join, self.auth, self.depth = None, [], 0

    def sign(self, event):
        event = {**event, "hashes": {"sha256": sha256(event)}}
        signed = signedjson.sign.sign_json(redacted(event), self.stranger.name, self.stranger.key)
        return self.id_of(event), {**event, "signatures": signed["signatures"]}

    @staticmethod
    def id_of(event):
        return "$" + sha256(redacted(event)).replace("+", "-").replace("/", "_")

    def learn(self, state, join):
        ids = {it["type"]: self.id_of(it) for it in state}
        self.auth = [ids["m.room.power_levels"], self.join]
        # In version 12 the create event is implied.
        if ids["m.room.create"] in join["auth_events"]:
            self.auth.append(ids["m.room.create"])

    def event(self, prev, depth, kind="m.room.message", key=None, **content):
        """An event of the stranger's user: its ID and itself."""
        event = {"type": kind, "room_id": self.room, "sender": self.stranger.user_id, "depth": depth,
                 "origin_server_ts": int(time.time() * 1000), "prev_events": prev, "auth_events": self.auth,
                 "content": content or {"msgtype": "m.text", "body": "hello"}}
        if key is not None:
            event["state_key"] = key
        return self.sign(event)

    def send(self, events):
        """Sends a transaction: the status and the outcomes."""
        self.stranger.transaction += 1
        path = "/_matrix/federation/v1/send/%d" % self.stranger.transaction
        content = {"origin": self.stranger.name, "origin_server_ts": int(time.time() * 1000), "pdus": events, "edus": []}
        status, answer = self.stranger.ask(self.server, "PUT", path, content)
        return status, answer.get("pdus", answer)


# What a redaction keeps of the content, in versions 11 and 12 of rooms. `None` keeps all.
KEPT = {
    "m.room.create": None,
    "m.room.member": ["membership", "join_authorised_via_users_server"],
    "m.room.join_rules": ["join_rule", "allow"],
    "m.room.power_levels": ["ban", "events", "events_default", "invite", "kick", "redact", "state_default", "users",
                            "users_default"],
    "m.room.history_visibility": ["history_visibility"],
}

FIELDS = ["type", "room_id", "sender", "state_key", "hashes", "depth", "prev_events", "auth_events", "origin_server_ts"]


def redacted(event):
    """The event as its ID and its signatures cover it."""
    kept = KEPT.get(event["type"], [])
    content = {key: value for key, value in event["content"].items() if kept is None or key in kept}
    return {**{field: event[field] for field in FIELDS if field in event}, "content": content}


def sha256(event):
    return encode_base64(hashlib.sha256(encode_canonical_json(event)).digest())


def reply(handler, content, status=200):
    body = json.dumps(content).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def never_ends(handler, _body):
    """An answer that goes on for as long as somebody reads it."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"1000\r\n" + b"[" * 4096 + b"\r\n")
    except OSError:
        handler.close_connection = True
