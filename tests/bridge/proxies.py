"""Recorders between the programs: of the pushes to the bridge, and of the lines to the IRC server."""

import http.client
import http.server
import json
import socket
import threading
import time


class Pushes:
    """Passes requests of the server on to the bridge, and records each transaction and its answer.

    After a start the bridge listens before it has loaded its rooms, and takes events of other rooms without a word. Until
    `is_ready` says otherwise, this behaves as if the bridge did not listen yet.
    """

    def __init__(self, bridge_port, is_ready):
        self.tries = []
        self.questions = []
        self.is_ready = is_ready
        self.lock = threading.Lock()
        record = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                entry = None
                if self.command == "GET":
                    record.questions.append(self.path)
                if "/transactions/" in self.path:
                    entry = {"id": self.path.rsplit("/", 1)[1], "body": body, "status": None, "passed": False,
                             "began": time.monotonic(), "ended": None,
                             "token": self.headers.get("Authorization")}
                    with record.lock:
                        record.tries.append(entry)
                try:
                    if not record.is_ready():
                        raise ConnectionRefusedError
                    bridge = http.client.HTTPConnection("127.0.0.1", bridge_port, timeout=30)
                    bridge.connect()
                    if entry:
                        entry["passed"] = True
                    headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
                    bridge.request(self.command, self.path, body, headers)
                    answer = bridge.getresponse()
                    text, status = answer.read(), answer.status
                    bridge.close()
                except (OSError, http.client.HTTPException):
                    # The bridge is down, or was killed before it answered: so is this connection.
                    if entry:
                        entry["ended"] = time.monotonic()
                    self.close_connection = True
                    return
                if entry:
                    entry["status"], entry["ended"] = status, time.monotonic()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_POST = pass_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def transactions_come_in_order_and_never_change(self):
        """Each try of a transaction is the same, and a new one begins after the last one was acknowledged."""
        with self.lock:
            tries = list(self.tries)
        bodies, done, current = {}, set(), None
        for entry in tries:
            name = entry["id"]
            assert entry["token"].startswith("Bearer "), entry
            assert bodies.setdefault(name, entry["body"]) == entry["body"], "transaction %s changed" % name
            if name != current:
                assert name not in done, "transaction %s came again after a later one" % name
                assert current is None or current in done, "%s began before %s was acknowledged" % (name, current)
                current = name
            if entry["status"] == 200:
                done.add(name)
        ids = [event["event_id"] for body in bodies.values() for event in json.loads(body)["events"]]
        assert len(ids) == len(set(ids)), "an event is in two transactions"
        return bodies, tries

    def of_event(self, event_id):
        """The tries of the transaction with an event."""
        with self.lock:
            return [entry for entry in self.tries if event_id.encode() in entry["body"]]


class Lines:
    """Passes connections of the bridge on to the IRC server, and records the lines of the bridge."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.sent = []
        self.connected = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            bridge, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                bridge.close()
                continue
            span = [time.monotonic(), None]
            with self.lock:
                self.connected.append(span)
            threading.Thread(target=self.pump, args=(bridge, server, span, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, bridge, span, False), daemon=True).start()

    def pump(self, source, target, span, is_bridge):
        rest = b""
        try:
            while data := source.recv(65536):
                target.sendall(data)
                if not is_bridge:
                    continue
                *lines, rest = (rest + data).split(b"\n")
                with self.lock:
                    now = time.monotonic()
                    self.sent += [(now, line.rstrip(b"\r").decode()) for line in lines]
        except OSError:
            pass
        with self.lock:
            span[1] = span[1] or time.monotonic()
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def messages(self, channel):
        """The texts that the bridge has said in a channel, each with its time."""
        begin = "PRIVMSG %s " % channel
        with self.lock:
            said = [(at, line[len(begin):]) for at, line in self.sent if line.startswith(begin)]
        return [(at, text[1:] if text.startswith(":") else text) for at, text in said]

    def is_connected_at(self, moment, slack):
        """Whether the bridge was connected all the time around a moment."""
        with self.lock:
            spans = [tuple(span) for span in self.connected]
        return any(begin <= moment - slack and (end is None or end >= moment + slack) for begin, end in spans)
