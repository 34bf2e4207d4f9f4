"""What users do in rooms, seen on both sides, in each version of rooms."""

from registry import scenario
from world import until_equal, until_heard

VERSIONS = ("10", "11", "12")


def joined_room(world, version, **given):
    """A public room of a user here, which a user of Synapse has joined by its alias."""
    ann, bob = world.user(world.rookery, "ann"), world.user(world.synapse, "bob")
    alias = "room%d" % world.users
    room = ann.create_room(version, alias=alias, **given)
    assert bob.join("#%s:%s" % (alias, world.rookery.server_name)) == room
    both = {ann.user_id, bob.user_id}
    until_equal("both are members on both sides", both, lambda: ann.members(room), lambda: bob.members(room))
    return ann, bob, room


def talk(people, room, texts):
    """Each says these texts in turns, and each waits until all have heard them."""
    said = people[0].heard(room)
    for number, text in enumerate(texts):
        speaker = people[number % len(people)]
        speaker.say(room, text)
        said.append((speaker.user_id, text))
        until_heard(people, room, said)


@scenario
def a_hundred_messages_each_way_arrive_in_order_and_each_once(world):
    for version in VERSIONS:
        ann, bob, room = joined_room(world, version)
        assert ann.content(room, "m.room.create")["room_version"] == version
        talk([ann, bob], room, ["hello", "hi", "how are you", "fine"])
        said = ann.heard(room)
        for speaker in (ann, bob):
            for number in range(100):
                text = "%s says %d" % (speaker.user_id, number)
                speaker.say(room, text)
                said.append((speaker.user_id, text))
            until_heard([ann, bob], room, said)
