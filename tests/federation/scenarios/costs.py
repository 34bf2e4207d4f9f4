"""What federation costs: sends in rooms with members elsewhere, events that come in, and rooms in which nothing happens.

Ratios within one run are checked; the figures are printed. docs/benchmarks.md has those of an optimised program.
"""

import http.client
import json
import os
import statistics
import threading
import time

from registry import scenario
from scenarios.strangers import chain, stranger_in_a_room
from world import until_equal

SENDERS, EACH, ROUNDS = 8, 50, 5
INCOMING = 2000


def processor_time(server):
    """The processor time that a server has taken, in seconds."""
    with open("/proc/%d/stat" % server.process.pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send_many(user, room):
    """Sends from several connections at once. Returns the durations of the sends."""
    took = []

    def send():
        connection = http.client.HTTPConnection("127.0.0.1", user.server.port)
        query = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { event { eventId } } }"
        body = json.dumps({"query": query, "variables": {"input": {"roomId": room, "body": "a message"}}})
        headers = {"Content-Type": "application/json", "Authorization": "Bearer " + user.token}
        for _ in range(EACH):
            began = time.monotonic()
            connection.request("POST", "/graphql", body, headers)
            answer = json.load(connection.getresponse())
            assert answer["data"]["sendMessage"]["event"], answer
            took.append(time.monotonic() - began)
    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == SENDERS * EACH
    return took


def settled(world, there):
    """Waits until the server has sent all, so that its work is counted where it belongs."""
    def is_still():
        seen = len(there.stranger.asked)
        time.sleep(0.3)
        return len(there.stranger.asked) == seen
    until_equal("all is sent", True, is_still)


@scenario
def a_send_in_a_room_with_remote_members_costs_little_more(world):
    ann, local, there = stranger_in_a_room(world)
    ratios, processor = [], []
    send_many(ann, local)
    send_many(ann, there.room)
    settled(world, there)
    for _ in range(ROUNDS):
        figures = []
        for room in (local, there.room):
            before = processor_time(world.rookery)
            took = send_many(ann, room)
            settled(world, there)
            figures.append((statistics.median(took), (processor_time(world.rookery) - before) / len(took)))
        ratios.append(figures[1][0] / figures[0][0])
        processor.append(figures)
    local_cpu, remote_cpu = (statistics.median(it[at][1] for it in processor) for at in (0, 1))
    print("    a send takes %.2f times as long; processor time with the sending to the other server: %.0f us and %.0f us" % (
        statistics.median(ratios), local_cpu * 1e6, remote_cpu * 1e6))
    assert statistics.median(ratios) < 1.5, ratios


@scenario
def incoming_events_are_taken_at_a_measured_rate(world):
    ann, _, there = stranger_in_a_room(world)
    events = chain(there, INCOMING)
    key = there.stranger.key.verify_key
    began = time.process_time()
    for _ in events:
        key.verify(b"x" * 400, there.stranger.key.sign(b"x" * 400).signature)
    both = time.process_time() - began
    began = time.process_time()
    for _ in events:
        there.stranger.key.sign(b"x" * 400)
    bare = (both - (time.process_time() - began)) / INCOMING
    before, started = processor_time(world.rookery), time.monotonic()
    for at in range(0, INCOMING, 50):
        status, outcomes = there.send([event for _, event in events[at:at + 50]])
        assert status == 200 and all(outcome == {} for outcome in outcomes.values()), outcomes
    each = (processor_time(world.rookery) - before) / INCOMING
    print("    %d events at %.0f a second; processor time of each %.0f us, of a bare check of a signature %.0f us: %.2fx" % (
        INCOMING, INCOMING / (time.monotonic() - started), each * 1e6, bare * 1e6, bare / each))
    until_equal("they are shown", events[-1][0], lambda: ann.timeline(there.room, "eventId")[-1]["eventId"])


@scenario
def rooms_in_which_nothing_happens_cost_nothing(world):
    ann, _, there = stranger_in_a_room(world)
    for _ in range(20):
        there.stranger.join(world.rookery.server_name, ann.create_room("12"))
    settled(world, there)
    asked, windows = len(there.stranger.asked), []
    for _ in range(3):
        before = processor_time(world.rookery)
        time.sleep(3)
        windows.append(processor_time(world.rookery) - before)
    # Work of the server that has nothing to do with these rooms falls into some of the windows.
    took = min(windows)
    print("    21 rooms take %.0f ms of processor time in 3 s" % (took * 1000))
    assert len(there.stranger.asked) == asked, "a quiet room causes requests"
    assert took < 0.15, "quiet rooms take %.2f s of 3 s" % took
