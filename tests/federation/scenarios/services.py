"""Services of Rookery in rooms of another server: bridges join them, and services follow them."""

import re

from registry import scenario
from scenarios.conversations import membership, refused
from scenarios.scrolling import scroll_back
from services import Archive, Bot, Bridge
from world import until_equal


def host(world, there=None):
    """A user of the other server, with a public room."""
    there = there or world.other_rookery
    bob = world.user(there, "bob")
    alias = "hall%d" % world.users
    return bob, bob.create_room(alias=alias, name="Hall"), "#%s:%s" % (alias, there.server_name)


def with_both(world, name, check):
    """Checks a bridge with a server of ours, and with Synapse."""
    for kind, there in (("ours", world.other_rookery), ("synapse", world.synapse)):
        bridge = Bridge(world, world.rookery, "%s_%s" % (name, kind))
        try:
            check(world, bridge, there)
        finally:
            world.mend()
            bridge.close()


def until_pushed(bridge, room, said):
    until_equal("the bridge has all messages, once and in order", said, lambda: bridge.said(room))


@scenario
def a_bridge_joins_rooms_of_another_server_and_hears_all_of_them(world):
    with_both(world, "irc", joins_and_hears)


def joins_and_hears(world, bridge, there):
    server = there.server_name
    bob, hall, alias = host(world, there)
    carl, bot = bridge.make_user("carl"), bridge.user_id(bridge.name)
    found = bridge.ok("GET", "directory/room/" + alias.replace("#", "%23"))
    assert found["room_id"] == hall and server in found["servers"], found
    # By the alias, as one of its users. The answer comes after the join.
    assert bridge.join(alias, carl) == hall
    assert membership(bob, hall, carl) == "join"
    said = [(bob.user_id, "hello %d" % number) for number in range(5)]
    for _, text in said:
        bob.say(hall, text)
    until_pushed(bridge, hall, said)
    assert bridge.members(hall) == [(carl, "join")], bridge.members(hall)
    sent = bridge.ok("PUT", "rooms/%s/send/m.room.message/1" % hall, {"msgtype": "m.text", "body": "from IRC"}, carl)
    until_equal("the message of the bridge is there", (carl, "from IRC"), lambda: bob.heard(hall)[-1])
    again = bridge.ok("PUT", "rooms/%s/send/m.room.message/1" % hall, {"msgtype": "m.text", "body": "from IRC"}, carl)
    assert again == sent
    # By the room ID, which names no server, and the server that the bridge names.
    other = bob.create_room(name="Den")
    status, refused = bridge.call("POST", "join/" + other, {})
    assert (status, refused["errcode"]) == (403, "M_FORBIDDEN"), refused
    assert bridge.join(other, server_name=server) == other
    assert bridge.join(other, via=[server]) == other, "joined already"
    assert membership(bob, other, bot) == "join"
    assert sorted(bridge.ok("GET", "joined_rooms")["joined_rooms"]) == [other]
    assert bob.user_id in bridge.ok("GET", "rooms/%s/joined_members" % other)["joined"]
    name = bridge.ok("GET", "profile/%s/displayname" % bob.user_id)
    assert set(name) <= {"displayname"}, name
    # Messages of an outage come later, in order.
    world.cut_off(world.rookery, there)
    missed = [(bob.user_id, "missed %d" % number) for number in range(5)]
    for _, text in missed:
        bob.say(hall, text)
    status, away = bridge.call("POST", "join/%23nowhere:" + server, {})
    assert (status, away["errcode"]) == (502, "M_UNKNOWN"), (status, away)
    world.mend()
    until_pushed(bridge, hall, said + [(carl, "from IRC")] + missed)
    status, nowhere = bridge.call("POST", "join/%23nowhere:" + server, {})
    assert (status, nowhere["errcode"]) == (404, "M_NOT_FOUND"), (status, nowhere)
    bridge.ok("POST", "rooms/%s/leave" % hall, {}, carl)
    until_equal("carl has left", "leave", lambda: membership(bob, hall, carl))


@scenario
def a_bridge_gets_invites_to_rooms_of_another_server_and_accepts_them(world):
    with_both(world, "xmpp", gets_and_accepts)


def gets_and_accepts(world, bridge, there):
    bob = world.user(there, "bob")
    carl, bot = bridge.make_user("carl"), bridge.user_id(bridge.name)
    for invited, user in ((bot, None), (carl, carl)):
        room = bob.create_room(is_public=False, name="Den of Bob")
        bob.invite(room, invited)
        until_equal("the bridge has the invite", [(invited, "invite")], lambda room=room: bridge.members(room))
        invite = next(it for it in bridge.pushed if it["room_id"] == room)
        assert invite["sender"] == bob.user_id, invite
        state = {it["type"]: it["content"] for it in invite["unsigned"]["invite_room_state"]}
        assert state["m.room.name"] == {"name": "Den of Bob"}, state
        # The invite names the server to join through.
        assert bridge.join(room, user) == room
        bob.say(room, "welcome")
        until_pushed(bridge, room, [(bob.user_id, "welcome")])
        assert bridge.members(room)[-1] == (invited, "join")
    declined = bob.create_room(is_public=False)
    bob.invite(declined, carl)
    until_equal("the bridge has the invite", [(carl, "invite")], lambda: bridge.members(declined))
    bridge.ok("POST", "rooms/%s/leave" % declined, {}, carl)
    until_equal("it was declined", "leave", lambda: membership(bob, declined, carl))
    # The other way round: a user elsewhere is invited to a room of the bridge.
    portal = bridge.ok("POST", "createRoom", {"name": "Portal", "preset": "private_chat"})["room_id"]
    bridge.ok("POST", "rooms/%s/invite" % portal, {"user_id": bob.user_id})
    home = world.rookery.server_name
    assert bob.join(portal, home if there is world.synapse else [home]) == portal
    bob.say(portal, "thanks")
    until_pushed(bridge, portal, [(bob.user_id, "thanks")])


@scenario
def a_bridge_makes_the_users_and_rooms_for_which_another_server_asks(world):
    bridge = Bridge(world, world.rookery, "gitter")
    try:
        bob = world.user(world.other_rookery, "bob")
        alias, dave = "#_gitter_hall:" + world.rookery.server_name, bridge.user_id("_gitter_dave")
        assert refused(bob.join, alias), "nobody has made it"
        bridge.makes = {alias, dave}
        room = bob.join(alias)
        bob.say(room, "anybody here?")
        until_pushed(bridge, room, [(bob.user_id, "anybody here?")])
        den = bob.create_room(is_public=False)
        bob.invite(den, dave)
        until_equal("the bridge has the invite", [(dave, "invite")], lambda: bridge.members(den))
        assert bridge.join(den, dave) == den
    finally:
        bridge.close()


@scenario
def a_service_follows_a_room_of_another_server_from_the_join_on(world):
    archive = Bot(world, world.rookery, "archive", "[[rooms]]\nregex = '!.*'\nexclusive = false\n")
    bob, hall, alias = host(world)
    dora = world.user(world.other_rookery, "dora")
    dora.join(hall)
    claim = re.escape(dora.user_id)
    friend = Bot(world, world.rookery, "friend", "[[users]]\nregex = '%s'\nexclusive = false\n" % claim)
    try:
        for number in range(3):
            bob.say(hall, "before %d" % number)
        ann = world.user(world.rookery, "ann")
        assert ann.join(alias) == hall
        bob.say(hall, "first")
        expected = ["opened", "m.room.member", "first"]
        for bot in (archive, friend):
            until_equal("%s has followed" % bot.name, expected, lambda bot=bot: bot.told(hall))
            opened = next(it for it in bot.items if it["__typename"] == "RoomOpened" and it["room"]["roomId"] == hall)
            assert opened["room"]["name"] == "Hall" and opened["room"]["memberCount"] == 3, opened
        assert archive.room(hall, "followedBy { name }")["followedBy"] == [{"name": "archive"}, {"name": "friend"}]
        # What a member fetches of the past is no news, and the bot may read it as others do.
        texts = [it["text"] for it in scroll_back(ann, hall)[0] if it["type"] == "m.room.message"]
        assert texts == ["before 0", "before 1", "before 2", "first"], texts
        bob.say(hall, "second")
        expected += ["second"]
        for bot in (archive, friend):
            until_equal("%s goes on" % bot.name, expected, lambda bot=bot: bot.told(hall))
            assert [text for _, text in bot.heard(hall)] == [text for _, text in ann.heard(hall)]
            assert "PAST" in {it["reason"] for it in bot.skipped if it["roomId"] == hall}, bot.skipped
        # The same after a restart, from the beginning.
        world.rookery.kill()
        world.rookery.start()
        for bot in (archive, friend):
            bot.items.clear()
            query = """mutation { resetConsumer(input: { name: "all", to: { beginning: true } }) { refusal { code } } }"""
            assert bot.ask(query)["resetConsumer"]["refusal"] is None
            until_equal("%s gets the same again" % bot.name, expected, lambda bot=bot: bot.told(hall))
        dora.leave(hall)
        until_equal("dora is gone", ["m.room.member", "closed UNFOLLOWED"], lambda: friend.told(hall)[-2:])
        until_equal("the archive goes on", expected + ["m.room.member"], lambda: archive.told(hall))
        # A bot joins a room there itself, too.
        carol, den, way = host(world)
        assert friend.join(way) == den
        carol.say(den, "welcome")
        until_equal("the bot hears", ["opened", "m.room.member", "welcome"], lambda: friend.told(den))
    finally:
        archive.close()
        friend.close()


@scenario
def a_service_sees_of_a_room_of_another_server_what_a_user_sees_who_joined_then(world):
    archive = Bot(world, world.rookery, "museum", "[[rooms]]\nregex = '!.*'\nexclusive = false\n")
    bob, dora = world.user(world.other_rookery, "bob"), world.user(world.other_rookery, "dora")
    claim = re.escape(dora.user_id)
    friend = Bot(world, world.rookery, "doras", "[[users]]\nregex = '%s'\nexclusive = false\n" % claim)
    try:
        seen = {}
        for setting in ("JOINED", "INVITED", "SHARED", "WORLD_READABLE"):
            ann, alias = world.user(world.rookery, "ann"), "%s%d" % (setting.lower(), world.users)
            room = bob.create_room(alias=alias, historyVisibility=setting)
            dora.join(room)
            bob.say(room, "before")
            ann.join("#%s:%s" % (alias, world.other_rookery.server_name))
            bob.say(room, "after")
            until_equal("ann hears bob", ["after"], lambda: [text for _, text in ann.heard(room)][-1:])
            scroll_back(ann, room)
            seen[setting] = ann.heard(room)
            for bot in (archive, friend):
                assert bot.heard(room) == seen[setting], (setting, bot.name, bot.heard(room), seen[setting])
                assert set(bot.state(room)) == set(ann.state(room))
                assert bot.members(room) == ann.members(room) == {ann.user_id, bob.user_id, dora.user_id}
            dora.leave(room)
            bob.say(room, "without dora")
            until_equal("ann hears it", ["without dora"], lambda: [text for _, text in ann.heard(room)][-1:])
            assert archive.heard(room) == ann.heard(room)
            # A room that everybody may read is read by those who have left too.
            left = ann.heard(room) if setting == "WORLD_READABLE" else seen[setting]
            assert friend.heard(room) == left, (setting, friend.heard(room))
        before = {setting: "before" in [text for _, text in heard] for setting, heard in seen.items()}
        assert before == {"JOINED": False, "INVITED": False, "SHARED": True, "WORLD_READABLE": True}, before
    finally:
        archive.close()
        friend.close()


@scenario
def the_archive_has_late_events_and_fetched_history_although_it_is_killed(world):
    bob, hall, alias = host(world)
    ann = world.user(world.rookery, "ann")
    for number in range(5):
        bob.say(hall, "before %d" % number)
        bob.set_topic(hall, "topic %d" % number)
    archive = Archive(world, ann)
    try:
        assert ann.join(alias) == hall
        for number in range(6):
            world.cut_off(world.rookery, world.other_rookery)
            for line in range(8):
                ann.say(hall, "line %d of %d" % (line, number))
            bob.say(hall, "there %d" % number)
            redacted = bob.say(hall, "redacted there %d" % number)
            bob.set_topic(hall, "later topic %d" % number)
            bob.redact(hall, redacted)
            world.mend()
            bob.say(hall, "joined again %d" % number)
            texts = lambda number=number: [text for _, text in ann.heard(hall, 50)]
            until_equal("ann has heard both", True, lambda: {"there %d" % number, "joined again %d" % number} <= set(texts()))
            if number == 2:
                scroll_back(ann, hall)
            archive.kill()
            archive.start()
        until_equal("the archive is equal to the server", [], lambda: archive.differences(hall))
        assert any(it["isLate"] for it in ann.timeline(hall)), "nothing came late"
        assert "before 0" in [text for _, text in ann.heard(hall)], "the past is here"
    finally:
        world.mend()
        archive.kill()
