"""A user here joins a room of Synapse late, and scrolls back to its first event."""

import time

from registry import scenario
from world import until_equal

EVENTS = 300

PAGE = """timeline(last: 100, before: $before, backfill: %s) { nodes { eventId type text depth isLate sequence }
    pageInfo { startCursor hasPreviousPage hasMoreLocally hasMoreRemotely timelineStart } }"""


def page(user, room, before, backfill):
    found = user.room(room, PAGE % ("true" if backfill else "false"), before=before)["timeline"]
    return found["nodes"], found["pageInfo"]


def scroll_back(user, room):
    """All events of the timeline, oldest first, with history from other servers."""
    nodes, before = [], None
    for _ in range(500):
        found, info = page(user, room, before, True)
        nodes = found + nodes
        before = info["startCursor"] or before
        if not info["hasPreviousPage"] and not info["hasMoreRemotely"]:
            return nodes, info
    raise SystemExit("scrolling back never ends: %s" % info)


def asked(world):
    paths = "/(backfill|state_ids|state|event|timestamp_to_event)/"
    return world.network.seen(world.rookery.server_name, world.synapse.server_name, paths)


def old_room(world, bob, version, said, **given):
    """A room with a history."""
    room = bob.create_room(version, alias="late%d-%d" % (world.users, said), **given)
    for number in range(said):
        if number % 400 == 0:
            bob.set_topic(room, "topic %d" % number)
        bob.say(room, "message %d" % number)
    return room


def late_join(world, version, said, **given):
    bob, zoe = world.user(world.synapse, "bob"), world.user(world.rookery, "zoe")
    room = old_room(world, bob, version, said, **given)
    began = time.monotonic()
    zoe.join(room, [world.synapse.server_name])
    print("    joined after %.1f s" % (time.monotonic() - began))
    until_equal("the user is in the room", True, lambda: zoe.user_id in (zoe.members(room) or []))
    return bob, zoe, room


@scenario
def a_room_that_was_joined_late_is_scrolled_back_to_its_first_event(world):
    for version, said in (("11", EVENTS), ("10", 150), ("12", 150)):
        bob, zoe, room = late_join(world, version, said)
        stream = zoe.follow(includes_late=True)
        before = zoe.state(room)
        world.network.forget()
        found, info = page(zoe, room, None, False)
        assert info["hasMoreRemotely"] and not asked(world), "nothing is asked without `backfill`"
        began = time.monotonic()
        nodes, info = scroll_back(zoe, room)
        print("    %d events in %.1f s with %d requests" % (len(nodes), time.monotonic() - began, len(asked(world))))
        assert info["timelineStart"] == "ROOM_CREATED", info
        expected = [it["event_id"] for it in bob.timeline(room)]
        assert [it["eventId"] for it in nodes] == expected, "each event once, in the order of Synapse"
        assert [it["depth"] for it in nodes] == sorted(it["depth"] for it in nodes)
        assert not any(it["isLate"] for it in nodes), "history is not late"
        assert zoe.state(room) == before, "history changes no state"
        assert not stream.events(room), "history comes on no stream"
        # The room goes on in both directions.
        said = [zoe.say(room, "from here"), bob.say(room, "from there")]
        until_equal("both have it", said, lambda: [it["eventId"] for it in page(zoe, room, None, False)[0][-2:]])
        stream.close()


@scenario
def a_user_who_joins_late_sees_no_more_than_the_setting_at_each_event(world):
    bob, zoe, room = late_join(world, "11", 30)
    texts = [it["text"] for it in scroll_back(zoe, room)[0] if it["text"]]
    assert texts == ["message %d" % number for number in range(30)], texts
    bob = world.user(world.synapse, "bob")
    room = bob.create_room("11", alias="hidden%d" % world.users)
    bob.say(room, "shared")
    bob.set_state(room, "m.room.history_visibility", {"history_visibility": "joined"})
    for number in range(150):
        bob.say(room, "hidden %d" % number)
    zoe = world.user(world.rookery, "zoe")
    zoe.join(room, [world.synapse.server_name])
    until_equal("the user is in the room", True, lambda: zoe.user_id in (zoe.members(room) or []))
    nodes, _ = scroll_back(zoe, room)
    assert [it["text"] for it in nodes if it["text"]] == ["shared"], nodes


@scenario
def a_join_takes_less_than_twice_as_long_as_that_of_a_second_synapse(world):
    bob = world.user(world.synapse, "bob")
    zoe, eve = world.user(world.rookery, "zoe"), world.user(world.other_synapse, "eve")
    host, took = world.synapse.server_name, {}
    # The first room opens the connections and fetches the keys.
    for said in (1, EVENTS):
        room = old_room(world, bob, "11", said)
        for user, via in ((zoe, [host]), (eve, host)):
            began = time.monotonic()
            user.join(room, via)
            took[user] = time.monotonic() - began
    print("    the join took %.2f s here, and %.2f s at the second Synapse" % (took[zoe], took[eve]))
    assert took[zoe] < 2 * took[eve], took
