#!/usr/bin/env python3
"""Sends messages to a room of Rookery, one after the other, until its input ends. Prints the durations in seconds.

    python3 tests/federation/sends.py ADDRESS TOKEN ROOM LEAST

It sends at least LEAST messages. It is a program of its own, because the threads of one Python wait for each other.
"""

import http.client
import json
import sys
import threading
import time

SEND = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { event { eventId } refusal { code } } }"


def main(address, token, room, least):
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    connection = http.client.HTTPConnection(address)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + token}
    body = json.dumps({"query": SEND, "variables": {"input": {"roomId": room, "body": "a message"}}})
    took = []
    while not is_over.is_set() or len(took) < least:
        began = time.monotonic()
        connection.request("POST", "/graphql", body, headers)
        answer = json.load(connection.getresponse())
        took.append(time.monotonic() - began)
        assert answer["data"]["sendMessage"]["refusal"] is None, answer
    print(json.dumps(took))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
