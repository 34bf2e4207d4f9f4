"""Users of Rookery in rooms of Synapse: joins by alias, ID and invite, requests to join, leaves."""

from people import Refused
from registry import scenario
from scenarios.conversations import both, check_talk, membership, refused
from world import until_equal, until_same

VERSIONS = ("10", "11", "12")


def hosts(world):
    """A user of Rookery, and a user of Synapse."""
    return world.user(world.rookery, "ann"), world.user(world.synapse, "bob")


def until_member(room, user, what, *people):
    for who in people:
        until_equal("%s sees %s of %s" % (who.user_id, what, user), what, lambda who=who: membership(who, room, user))


@scenario
def a_user_of_rookery_joins_a_room_of_synapse_by_its_alias(world):
    for version in VERSIONS:
        ann, bob = hosts(world)
        alias = "hall%d" % world.users
        room = bob.create_room(version, alias=alias)
        assert ann.join("#%s:%s" % (alias, world.synapse.server_name)) == room
        until_member(room, ann.user_id, "join", ann, bob)
        check_talk(bob, ann, room)
        until_same("both have the same state", *both(ann, bob, lambda who: who.state(room)))
        ann.leave(room)
        until_member(room, ann.user_id, "leave", bob)
        bob.set_topic(room, "while nobody of Rookery was there")
        # The state here is old, so the join goes through the other server again.
        assert ann.join(room) == room
        until_equal("the new topic is here", "while nobody of Rookery was there",
                    lambda: ann.content(room, "m.room.topic")["topic"])


@scenario
def invites_cross_both_ways(world):
    for version in VERSIONS:
        ann, bob = hosts(world)
        room = ann.create_room(version, is_public=False, name="Den of Ann")
        ann.invite(room, bob.user_id)
        assert membership(ann, room, bob.user_id) == "invite", "it is part of the room"
        assert bob.join(room, world.rookery.server_name) == room
        until_member(room, bob.user_id, "join", ann, bob)
        room = bob.create_room(version, is_public=False, name="Den of Bob")
        bob.invite(room, ann.user_id)
        until_equal("the invite is shown with the name and the server", [(room, "Den of Bob", world.synapse.server_name)],
                    lambda: invites(ann))
        assert ann.join(room) == room
        until_member(room, ann.user_id, "join", ann, bob)
        assert invites(ann) == []
        check_talk(bob, ann, room)


@scenario
def invites_are_declined_and_withdrawn(world):
    ann, bob = hosts(world)
    room = bob.create_room("12", is_public=False)
    bob.invite(room, ann.user_id)
    until_equal("the invite is here", 1, lambda: len(invites(ann)))
    ann.leave(room)
    assert invites(ann) == []
    until_member(room, ann.user_id, "leave", bob)
    bob.invite(room, ann.user_id)
    until_equal("the second invite is here", 1, lambda: len(invites(ann)))
    bob.kick(room, ann.user_id)
    until_equal("the invite is gone", [], lambda: invites(ann))
    assert refused(ann.join, room), "the room is closed"


@scenario
def a_user_of_rookery_knocks_on_a_room_of_synapse(world):
    ann, bob = hosts(world)
    room = bob.create_room("12", is_public=False)
    bob.set_join_rule(room, "knock")
    ann.act("knockOnRoom", "isPending", room={"roomId": room}, via=[world.synapse.server_name])
    until_member(room, ann.user_id, "knock", bob)
    bob.invite(room, ann.user_id)
    until_equal("the invite is here", 1, lambda: len(invites(ann)))
    assert ann.join(room) == room
    until_member(room, ann.user_id, "join", ann, bob)


@scenario
def a_user_of_rookery_joins_a_restricted_room_of_synapse(world):
    ann, bob = hosts(world)
    lobby = bob.create_room("12", alias="lobby%d" % world.users)
    room = bob.create_room("12", is_public=False)
    bob.set_join_rule(room, "restricted", [lobby])
    via = [world.synapse.server_name]
    try:
        ann.join(room, via)
        raise SystemExit("a stranger was let in")
    except Refused:
        pass
    ann.join(lobby, via)
    ann.join(room, via)
    until_member(room, ann.user_id, "join", ann, bob)


@scenario
def a_user_of_rookery_follows_a_room_of_synapse_that_is_upgraded(world):
    ann, bob = hosts(world)
    alias = "old%d" % world.users
    room = bob.create_room("11", alias=alias)
    ann.join("#%s:%s" % (alias, world.synapse.server_name))
    new = bob.upgrade(room, "12")
    until_equal("the old room names the new one", new, lambda: (ann.content(room, "m.room.tombstone") or {}).get(
        "replacement_room"))
    # Nobody names a server: those of the old room are asked.
    assert ann.join(new) == new
    until_member(new, ann.user_id, "join", ann, bob)


def invites(who):
    """The invites of a user: room, name and server."""
    found = who.ask("{ initialSync { invites { roomId name invite { server } } } }")["initialSync"]["invites"]
    return [(it["roomId"], it["name"], it["invite"]["server"]) for it in found]
