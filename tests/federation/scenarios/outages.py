"""Servers that are away, killed, or whose answers get lost: everything arrives, and nothing twice."""

import collections
import signal
import time

from registry import scenario
from scenarios.conversations import room_here
from world import until_equal, until_heard

ROOMS, EACH = 20, 50


def many_rooms(world):
    """Rooms of one user here, which one user of Synapse has joined."""
    ann, bob, first = room_here(world, "11")
    rooms = [first]
    while len(rooms) < ROOMS:
        room = ann.create_room("11")
        bob.join(room, world.rookery.server_name)
        rooms.append(room)
    return ann, bob, rooms


def write_while_away(writer, rooms, own_server):
    """Writes to all rooms in turns. The writer's own server is killed in the middle of it, and started again."""
    said = collections.defaultdict(list)
    for number in range(EACH):
        if number == EACH // 2:
            own_server.kill()
            own_server.start()
        for room in rooms:
            text = "%d of %s" % (number, room)
            writer.say(room, text)
            said[room].append((writer.user_id, text))
    return said


def check_all_arrive(world, reader, said, sender, receiver, what):
    """Everything is there in order and once, and no transaction was taken twice."""
    began = time.monotonic()
    for room, messages in said.items():
        until_equal("%s has all of %s" % (reader.user_id, room), messages, lambda room=room: reader.heard(room), wait=90)
    took = time.monotonic() - began
    sent = world.network.seen(sender.server_name, receiver.server_name, "/federation/v1/send/")
    taken = [it.path for it in sent if it.status == 200]
    assert len(taken) == len(set(taken)), "a transaction was sent again after it was taken"
    pdus = sum(it.pdus for it in sent)
    events = sum(len(messages) for messages in said.values())
    assert pdus <= events + 50, "%d events were sent %d times" % (events, pdus)
    print("    %s: %d events in %.1f s, in %d transactions with %d events; requests of the other side: %s" % (
        what, events, took, len(sent), pdus, dict(asked(world, receiver, sender))))


def asked(world, receiver, sender):
    """The requests by which a server fetched what it missed."""
    seen = world.network.seen(receiver.server_name, sender.server_name)
    kinds = [it.path.split("?")[0].split("/")[4] for it in seen if it.path.startswith("/_matrix/federation/")]
    return collections.Counter(kind for kind in kinds if kind != "send")


@scenario
def a_thousand_events_arrive_after_an_outage_of_synapse(world):
    ann, bob, rooms = many_rooms(world)
    world.synapse.kill()
    said = write_while_away(ann, rooms, world.rookery)
    world.network.forget()
    world.synapse.start()
    check_all_arrive(world, bob, said, world.rookery, world.synapse, "Synapse was away")


@scenario
def a_thousand_events_arrive_after_an_outage_here(world):
    ann, bob, rooms = many_rooms(world)
    world.rookery.kill()
    said = write_while_away(bob, rooms, world.synapse)
    world.network.forget()
    world.rookery.start()
    check_all_arrive(world, ann, said, world.synapse, world.rookery, "Rookery was away")


@scenario
def lost_answers_double_nothing(world):
    ann, bob, room = room_here(world, "11")
    for speaker, receiver in ((ann, world.synapse), (bob, world.rookery)):
        eaten = world.network.eat_answers(receiver.server_name, "/federation/v1/send/", 3)
        said = ann.heard(room)
        for number in range(20):
            text = "%s says %d" % (speaker.user_id, number)
            speaker.say(room, text)
            said.append((speaker.user_id, text))
        until_heard([ann, bob], room, said)
        until_equal("three answers were lost", 3, lambda eaten=eaten: len(eaten))
        assert len(set(eaten)) < 3, "a transaction that was not answered is sent again as it is: %s" % eaten


@scenario
def a_server_that_stalls_delays_no_other(world):
    ann, bob, room = room_here(world, "11")
    carol = world.user(world.other_synapse, "carol")
    carol.join(room, world.rookery.server_name)
    said = []

    def say(text):
        ann.say(room, text)
        said.append((ann.user_id, text))
    say("before")
    until_heard([ann, bob, carol], room, said)
    # It takes connections, and never answers.
    world.synapse.process.send_signal(signal.SIGSTOP)
    try:
        for number in range(20):
            say("meanwhile %d" % number)
        until_heard([ann, carol], room, said)
    finally:
        world.synapse.process.send_signal(signal.SIGCONT)
    until_heard([bob], room, said, wait=90)
