"""Servers that are cut off from each other, change the room alone, and meet again."""

from registry import scenario
from scenarios.conversations import VERSIONS, room_here
from world import until_equal, until_state_is_one


def check_streams(room, state, timeline, since, with_late, without_late):
    """What the two streams of one room told since a sequence: one that wants late events, and one that does not."""
    late = [it["eventId"] for it in timeline if it["isLate"] and it["sequence"] > since]
    assert late, "the fork should make late events"
    shown = {it["eventId"]: at for at, it in enumerate(timeline)}
    for stream in (with_late, without_late):
        events = [it for it in stream.events(room) if "eventId" in it]
        ids = [it["eventId"] for it in events]
        assert len(ids) == len(set(ids)), "an event came twice"
        assert not [it for it in events if it["stateKey"] is not None and it["isSuperseded"]], "state went backwards"
        told = [it for it in events if it["isLate"]]
        if stream is without_late:
            assert not told, "late events came to a stream that does not want them: %s" % told
            continue
        superseded = {it["eventId"] for it in timeline if it["isSuperseded"]}
        expected, came = set(late) - superseded, {it["eventId"] for it in told}
        assert came == expected, "late events did not come: %s; these came and should not: %s; of %d" % (
            [it for it in timeline if it["eventId"] in expected - came],
            [it for it in timeline if it["eventId"] in came - expected], len(timeline))
        for it in told:
            assert it["after"] is None or shown[it["after"]] < shown[it["eventId"]], "an event comes before its `after`"
            assert it["after"] or shown[it["eventId"]] == 0, "a late event has no `after`"
    for stream in (with_late, without_late):
        folded = {}
        for it in stream.events(room):
            entry = (it["type"], it.get("stateKey"))
            if it["__typename"] == "StateResolved":
                folded[entry] = it["event"] and it["event"]["eventId"]
            elif it["stateKey"] is not None:
                folded[entry] = it["eventId"]
        wrong = {entry: (event, state.get(entry)) for entry, event in folded.items() if state.get(entry) != event}
        assert not wrong, "the stream ends in another state: %s" % wrong


@scenario
def two_servers_that_were_apart_meet_in_one_state(world):
    for version in VERSIONS:
        ann, bob, room = room_here(world, version)
        dora, carl = world.user(world.rookery, "dora"), world.user(world.synapse, "carl")
        dora.join(room)
        carl.join(room, world.rookery.server_name)
        for user, level in ((bob, 60), (dora, 50), (carl, 50)):
            ann.set_level(room, user.user_id, level)
        until_state_is_one([ann, bob], room)
        with_late, without_late = ann.follow(includes_late=True), dora.follow()
        since = max(it["sequence"] for it in ann.timeline(room))
        world.cut_off(world.synapse, world.rookery)
        # Both sides write more than the other's gap request returns.
        for number in range(30):
            ann.say(room, "ann alone %d" % number)
            bob.say(room, "bob alone %d" % number)
        dora.set_topic(room, "topic of dora")
        carl.set_topic(room, "topic of carl")
        ann.ban(room, carl.user_id)
        ann.set_level(room, bob.user_id, 0)
        bob.set_name(room, "name of bob, who does not know of it")
        # Neither holds in the end, since he had lost his power.
        (bob.kick if version == "10" else bob.ban)(room, dora.user_id)
        carl.say(room, "carl, who does not know of it")
        carl.set_name(room, "name of carl")
        ann.set_name(room, "name of ann")
        world.mend()
        until_state_is_one([ann, bob], room)
        state = ann.state(room)
        timeline = ann.timeline(room)
        until_equal(
            "the streams have all", timeline[-1]["eventId"],
            lambda: with_late.events(room)[-1].get("eventId"), lambda: without_late.events(room)[-1].get("eventId"))
        check_streams(room, state, timeline, since, with_late, without_late)
        with_late.close()
        without_late.close()


@scenario
def events_of_a_server_that_did_not_know_of_a_ban_soft_fail_here_as_at_synapse(world):
    for version in VERSIONS:
        ann, bob, room = room_here(world, version)
        mallory = world.user(world.other_synapse, "mallory")
        mallory.join(room, world.rookery.server_name)
        ann.set_level(room, mallory.user_id, 50)
        until_state_is_one([ann, bob, mallory], room)
        world.cut_off(world.other_synapse)
        ann.ban(room, mallory.user_id)
        until_state_is_one([ann, bob], room)
        sent = {mallory.say(room, "mallory, who does not know of it, %d" % number) for number in range(5)}
        sent.add(mallory.set_topic(room, "topic of mallory"))
        sent.add(mallory.set_state(room, "org.example.setting", {"by": "mallory"}, "key"))
        world.mend()
        until_equal(
            "the events have arrived", sent, lambda: world.soft_failed_at(world.synapse, room),
            lambda: {event for event, status, _ in world.log_of(world.rookery, room) if status == "soft_failed"})
        until_state_is_one([ann, bob], room)
        shown = {it["eventId"] for it in ann.timeline(room)} | {it["event_id"] for it in bob.timeline(room)}
        assert not shown & sent, "a soft-failed event is shown"
