"""The table of conversations, in rooms that were made at Synapse."""

from registry import scenario
from scenarios.conversations import (
    VERSIONS, both, check_edits_and_reactions, check_few_words, check_kicks_and_bans, check_names_topics_and_levels,
    check_redactions)
from world import until_equal, until_state_is_one


def room_there(world, version):
    """A public room of a user of Synapse, which a user here has joined by its alias."""
    bob, ann = world.user(world.synapse, "bob"), world.user(world.rookery, "ann")
    alias = "there%d" % world.users
    room = bob.create_room(version, alias=alias)
    assert ann.join("#%s:%s" % (alias, world.synapse.server_name)) == room
    people = {ann.user_id, bob.user_id}
    until_equal("both are members on both sides", people, *both(ann, bob, lambda who: who.members(room)))
    return bob, ann, room


def in_each_version(world, check):
    for version in VERSIONS:
        bob, ann, room = room_there(world, version)
        check(bob, ann, room)


@scenario
def edits_and_reactions_are_seen_in_rooms_of_synapse(world):
    in_each_version(world, check_edits_and_reactions)


@scenario
def redacted_content_of_rooms_of_synapse_is_gone(world):
    in_each_version(world, check_redactions)


@scenario
def names_topics_and_levels_of_rooms_of_synapse_are_the_same(world):
    in_each_version(world, check_names_topics_and_levels)


@scenario
def users_here_are_removed_from_rooms_of_synapse_and_come_back(world):
    def check(host, guest, room):
        check_kicks_and_bans(host, guest, room, lambda: guest.join(room, [world.synapse.server_name]))
    in_each_version(world, check)


@scenario
def a_room_of_synapse_that_was_cut_in_two_comes_to_one_state(world):
    for version in VERSIONS:
        bob, ann, room = room_there(world, version)
        carl = world.user(world.synapse, "carl")
        carl.join(room)
        bob.set_level(room, ann.user_id, 60)
        bob.set_level(room, carl.user_id, 50)
        until_state_is_one([ann, bob], room)
        world.cut_off(world.synapse, world.rookery)
        for number in range(15):
            ann.say(room, "ann alone %d" % number)
            bob.say(room, "bob alone %d" % number)
        ann.kick(room, carl.user_id)
        ann.set_name(room, "name of ann")
        carl.set_topic(room, "topic of carl, who does not know of it")
        bob.set_name(room, "name of bob")
        bob.set_level(room, ann.user_id, 0)
        world.mend()
        until_state_is_one([ann, bob], room)


@scenario
def two_servers_of_this_program_talk(world):
    ann, eve = world.user(world.rookery, "ann"), world.user(world.other_rookery, "eve")
    alias = "ours%d" % world.users
    room = ann.create_room("12", alias=alias)
    assert eve.join("#%s:%s" % (alias, world.rookery.server_name)) == room
    check_few_words(ann, eve, room)
    check_edits_and_reactions(ann, eve, room)
    check_names_topics_and_levels(ann, eve, room)
    until_state_is_one([ann, eve], room)
