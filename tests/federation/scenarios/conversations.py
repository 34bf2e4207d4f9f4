"""What users do in rooms, seen on both sides, in each version of rooms.

The functions whose name begins with `check_` take a host, who made the room, and a guest on another server. Either may be
here or at Synapse.
"""

import json

from people import Refused
from registry import scenario
from world import until_equal, until_heard, until_same

VERSIONS = ("10", "11", "12")


def both(one, other, look):
    """The same look at both sides."""
    return lambda: look(one), lambda: look(other)


def room_here(world, version, **given):
    """A public room of a user here, which a user of Synapse has joined by its alias."""
    ann, bob = world.user(world.rookery, "ann"), world.user(world.synapse, "bob")
    alias = "room%d" % world.users
    room = ann.create_room(version, alias=alias, **given)
    assert bob.join("#%s:%s" % (alias, world.rookery.server_name)) == room
    people = {ann.user_id, bob.user_id}
    until_equal("both are members on both sides", people, *both(ann, bob, lambda who: who.members(room)))
    return ann, bob, room


def refused(act, *given):
    """Whether an action is refused."""
    try:
        act(*given)
    except Refused:
        return True
    return False


def check_talk(host, guest, room):
    said = host.heard(room)
    for number, text in enumerate(["hello", "hi", "how are you", "fine"]):
        speaker = (host, guest)[number % 2]
        speaker.say(room, text)
        said.append((speaker.user_id, text))
        until_heard([host, guest], room, said)
    for speaker in (host, guest):
        for number in range(100):
            text = "%s says %d" % (speaker.user_id, number)
            speaker.say(room, text)
            said.append((speaker.user_id, text))
        until_heard([host, guest], room, said)


def check_edits_and_reactions(host, guest, room):
    for author, reader in ((host, guest), (guest, host)):
        event = author.say(room, "first words of %s" % author.user_id)
        author.edit(room, event, "second words of %s" % author.user_id)
        until_equal(
            "both see the edit", "second words of %s" % author.user_id,
            *both(host, guest, lambda who, event=event: who.event(room, event) and who.text_of(room, event)))
        author.react(room, event, "👍")
        reader.react(room, event, "🎉")
        expected = {("👍", author.user_id), ("🎉", reader.user_id)}
        until_equal(
            "both see the reactions", expected, *both(host, guest, lambda who, event=event: who.reactions(room, event)))


def check_redactions(host, guest, room):
    """Each redacts an own message, and the host, who may, one of the guest."""
    for author, remover in ((host, host), (guest, guest), (guest, host)):
        event = author.say(room, "secret of %s" % author.user_id)
        until_equal(
            "both have the message", "secret of %s" % author.user_id,
            *both(host, guest, lambda who, event=event: who.event(room, event) and who.text_of(room, event)))
        remover.redact(room, event)
        until_equal("nobody has the text", None, *both(host, guest, lambda who, event=event: who.text_of(room, event)))
    event = host.say(room, "words of the host")
    until_equal("the guest has it", True, lambda: guest.event(room, event) is not None)
    assert refused(guest.redact, room, event), "the guest may not redact"


def check_names_topics_and_levels(host, guest, room):
    name = both(host, guest, lambda who: (who.content(room, "m.room.name") or {}).get("name"))
    topic = both(host, guest, lambda who: (who.content(room, "m.room.topic") or {}).get("topic"))
    level = both(host, guest, lambda who: who.content(room, "m.room.power_levels")["users"].get(guest.user_id))
    host.set_name(room, "a name")
    until_equal("both see the name", "a name", *name)
    assert refused(guest.set_topic, room, "not allowed")
    host.set_level(room, guest.user_id, 50)
    until_equal("both see the level", 50, *level)
    guest.set_topic(room, "topic of the guest")
    guest.set_name(room, "name of the guest")
    until_equal("both see the topic", "topic of the guest", *topic)
    until_equal("both see the second name", "name of the guest", *name)
    assert refused(guest.set_level, room, host.user_id, 0), "nobody takes the level of somebody above"
    host.set_level(room, guest.user_id, 0)
    until_equal("both see the level again", 0, *level)
    assert refused(guest.set_topic, room, "not allowed any more")
    until_same("both have the same state", *both(host, guest, lambda who: who.state(room)))


def membership(who, room, user):
    found = who.content(room, "m.room.member", user)
    return found and found["membership"]


def check_kicks_and_bans(host, guest, room, come_back):
    """The guest is removed and comes back, leaves and comes back, and is banned."""
    def seen_by_host(what):
        until_equal("the host sees it", what, lambda: membership(host, room, guest.user_id))
    for remove in (host.kick, None):
        if remove:
            remove(room, guest.user_id)
        else:
            guest.leave(room)
        seen_by_host("leave")
        until_equal("the guest is out", True, lambda: refused_or_out(guest, room))
        host.say(room, "not for the guest")
        come_back()
        seen_by_host("join")
        until_same("both have the same state", *both(host, guest, lambda who: who.state(room)))
    host.ban(room, guest.user_id)
    seen_by_host("ban")
    until_equal("the guest is out", True, lambda: refused_or_out(guest, room))
    assert refused(come_back), "a banned user does not come back"
    host.unban(room, guest.user_id)
    seen_by_host("leave")
    come_back()
    seen_by_host("join")
    until_same("both have the same state", *both(host, guest, lambda who: who.state(room)))


def refused_or_out(guest, room):
    """Whether the guest's own server knows that the guest is not a member."""
    return refused(guest.say, room, "may I?")


def in_each_version(check, **given):
    """A scenario: the check, in a room here of each version."""
    def run(world):
        for version in VERSIONS:
            ann, bob, room = room_here(world, version, **given)
            assert ann.content(room, "m.room.create").get("room_version") == version
            check(ann, bob, room)
    return run


@scenario
def a_hundred_messages_each_way_arrive_in_order_and_each_once(world):
    in_each_version(check_talk)(world)


@scenario
def edits_and_reactions_are_seen_on_both_sides(world):
    in_each_version(check_edits_and_reactions)(world)


@scenario
def redacted_content_is_gone_on_both_sides_and_from_the_log(world):
    def check(host, guest, room):
        check_redactions(host, guest, room)
        # The content is gone from the log itself, and not only from answers.
        log = json.dumps(world.log_of(world.rookery, room))
        assert "words of the host" in log
        assert "secret of" not in log
    in_each_version(check)(world)


@scenario
def names_topics_and_levels_are_the_same_on_both_sides(world):
    in_each_version(check_names_topics_and_levels)(world)


@scenario
def removed_and_banned_users_are_out_on_both_sides(world):
    def check(host, guest, room):
        server = host.user_id.split(":", 1)[1]
        check_kicks_and_bans(host, guest, room, lambda: guest.join(room, server))
    in_each_version(check)(world)


@scenario
def a_user_of_synapse_knocks_and_is_let_in(world):
    for version in VERSIONS:
        ann, bob = world.user(world.rookery, "ann"), world.user(world.synapse, "bob")
        room = ann.create_room(version, is_public=False, joinRule={"kind": "KNOCK"})
        server = world.rookery.server_name
        assert refused(bob.join, room, server), "nobody joins such a room uninvited"
        bob.knock(room, server)
        until_equal("the host sees the knock", "knock", lambda: membership(ann, room, bob.user_id))
        ann.invite(room, bob.user_id)
        until_equal("the invite has come", True, lambda: not refused(bob.join, room, server))
        until_equal("both are members", {ann.user_id, bob.user_id}, *both(ann, bob, lambda who: who.members(room)))


@scenario
def members_of_a_room_are_let_into_a_restricted_one(world):
    for version in VERSIONS:
        ann, bob, lobby = room_here(world, version)
        rule = {"kind": "RESTRICTED", "allowedRooms": [lobby]}
        room, server = ann.create_room(version, is_public=False, joinRule=rule), world.rookery.server_name
        stranger = world.user(world.synapse, "stranger")
        assert refused(stranger.join, room, server), "a stranger is not let in"
        bob.join(room, server)
        until_equal("both are members", {ann.user_id, bob.user_id}, *both(ann, bob, lambda who: who.members(room)))
        content = ann.content(room, "m.room.member", bob.user_id)
        assert content["join_authorised_via_users_server"] == ann.user_id, content
        check_few_words(ann, bob, room)


def check_few_words(one, other, room):
    said = []
    for who in (one, other):
        who.say(room, "words of %s" % who.user_id)
        said.append((who.user_id, "words of %s" % who.user_id))
        until_heard([one, other], room, said)


@scenario
def a_user_of_synapse_follows_a_room_that_is_upgraded(world):
    for old, new in (("10", "11"), ("11", "12"), ("10", "12")):
        ann, bob, room = room_here(world, old)
        replacement = ann.upgrade(room, new)
        until_equal(
            "both see where the room went", replacement,
            *both(ann, bob, lambda who: (who.content(room, "m.room.tombstone") or {}).get("replacement_room")))
        bob.join(replacement, world.rookery.server_name)
        until_equal(
            "both are members of the new room", {ann.user_id, bob.user_id},
            *both(ann, bob, lambda who: who.members(replacement)))
        assert ann.content(replacement, "m.room.create")["predecessor"]["room_id"] == room
        assert bob.content(replacement, "m.room.create")["room_version"] == new
        check_few_words(ann, bob, replacement)
