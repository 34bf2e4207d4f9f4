"""Typing, read receipts and presence between Rookery and Synapse."""

import itertools
import json
import time

from matrix import quoted
from registry import scenario
from world import until_equal


def two_in_a_room(world):
    """A user of Rookery who is connected, a user of Synapse who looks around, and their room."""
    ann, bob = world.user(world.rookery, "ann"), world.user(world.synapse, "bob")
    room = ann.create_room()
    bob.join(room, world.rookery.server_name)
    return ann, bob, room


def ephemeral_of(bob, kind, room, number=itertools.count(1)):
    """The last message of this kind that a new sync of Synapse has for a room."""
    # Synapse repeats its answer to the same request for two minutes.
    limit = json.dumps({"room": {"timeline": {"limit": next(number)}}})
    sync = bob.ask("GET", "/_matrix/client/v3/sync?timeout=0&filter=" + quoted(limit))
    events = sync["rooms"]["join"][room]["ephemeral"]["events"]
    return next((it["content"] for it in events if it["type"] == kind), {})


def set_typing(bob, room, is_typing):
    path = bob.of_room(room, "typing/%s" % quoted(bob.user_id))
    bob.ask("PUT", path, {"typing": is_typing, "timeout": 30000} if is_typing else {"typing": False})


def shown_typing(ann, room):
    return {it["userId"] for it in ann.room(room, "typing { nodes { userId } }")["typing"]["nodes"]}


@scenario
def typing_is_seen_on_both_sides_and_ends(world):
    ann, bob, room = two_in_a_room(world)
    stream = ann.follow()
    for is_typing in (True, False):
        set_typing(bob, room, is_typing)
        until_equal("Rookery shows it", is_typing, lambda: bob.user_id in shown_typing(ann, room))
        ann.act_now("setTyping", roomId=room, isTyping=is_typing)
        until_equal("Synapse shows it", is_typing,
                    lambda: ann.user_id in ephemeral_of(bob, "m.typing", room).get("user_ids", []))
    stream.close()


@scenario
def read_receipts_are_seen_on_both_sides_and_private_ones_are_not(world):
    ann, bob, room = two_in_a_room(world)
    events = [who.say(room, text) for who, text in ((ann, "one"), (bob, "two"), (ann, "three"))]
    until_equal("all is at Synapse", True, lambda: bob.event(room, events[2]) is not None)
    until_equal("all is here", True, lambda: ann.event(room, events[1]) is not None)

    def receipts_here():
        nodes = ann.room(room, "receipts(first: 100) { nodes { userId eventId } }")["receipts"]["nodes"]
        return {it["userId"]: it["eventId"] for it in nodes}

    def receipts_there():
        found = ephemeral_of(bob, "m.receipt", room)
        return {user: event for event, kinds in found.items() for user in kinds.get("m.read", {})}
    bob.ask("POST", bob.of_room(room, "receipt/m.read/%s" % quoted(events[2])), {})
    until_equal("Rookery shows that of Bob", events[2], lambda: receipts_here().get(bob.user_id))
    ann.act("markRoomRead", "", roomId=room, eventId=events[1])
    until_equal("Synapse shows that of Ann", events[1], lambda: receipts_there().get(ann.user_id))
    ann.act("markRoomRead", "", roomId=room, eventId=events[2], isPrivate=True)
    last = ann.say(room, "four")
    until_equal("what came after it is at Synapse", True, lambda: bob.event(room, last) is not None)
    time.sleep(1)
    assert receipts_there().get(ann.user_id) != events[2], "a private receipt left the server"


@scenario
def presence_is_seen_on_both_sides(world):
    ann, bob, room = two_in_a_room(world)
    stream = ann.follow()

    def here():
        found = ann.ask("query($id: UserID!) { user(userId: $id) { isRemote presence { presence statusMessage } } }",
                        id=bob.user_id)["user"]
        assert found["isRemote"]
        return found["presence"] and (found["presence"]["presence"], found["presence"]["statusMessage"])

    def there():
        found = bob.ask("GET", "/_matrix/client/v3/presence/%s/status" % quoted(ann.user_id))
        return found["presence"], found.get("status_msg")
    path = "/_matrix/client/v3/presence/%s/status" % quoted(bob.user_id)
    bob.ask("PUT", path, {"presence": "unavailable", "status_msg": "at lunch"})
    until_equal("Rookery shows that of Bob", ("UNAVAILABLE", "at lunch"), here)
    ann.act_now("setPresence", presence="UNAVAILABLE", statusMessage="in the garden")
    until_equal("Synapse shows that of Ann", ("unavailable", "in the garden"), there)
    ann.say(room, "bye")
    stream.close()
