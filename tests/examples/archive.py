"""examples/archive.py: the copy ends equal to the server, although it is killed at random."""

import json
import os
import random
import time

from programs import KILLS, opened, until

COLUMNS = "sequence, depth, event, type, state_key, sender, sent, content, redacted"


def check(world, ann):
    """Others write, redact, ignore, join and leave meanwhile. Returns a sentence about what happened."""
    path = os.path.join(world.folder, "rooms.sqlite")
    dice = random.Random(0x5EED)
    ben = world.register("ben")
    rooms = [ann.create_room(name=name, preset="PUBLIC") for name in ("Nest", "Tower")]
    # A room with a past, which is joined later.
    later = ben.create_room(name="Rookery", preset="PUBLIC")
    for number in range(150):
        ben.say(later, "before %d" % number)
    ben.act("joinRoom", room={"roomId": rooms[0]})
    archive = world.example("archive", "archive.py", world.address, ann.token, path)
    until(lambda: os.path.exists(path), "the archive begins")
    database = opened(path)
    busy = 0
    for number in range(KILLS):
        happen(dice, ann, ben, rooms, later, number)
        if dice.randrange(4):
            # While it works: it has this message, or stores it, or acknowledges it.
            last = ann.say(rooms[0], "the archive has all before this")
            newest = "SELECT max(sequence) FROM events WHERE room = ?"
            until(lambda: database.execute(newest, rooms[:1]).fetchone()[0] == last, "the archive stores a message")
            ann.say(rooms[0], "the archive is killed now")
            time.sleep(dice.random() / 25)
            busy += 1
        else:
            # Somewhere in its start.
            time.sleep(dice.random() / 2)
        archive.kill_and_start()
    rooms.append(later)
    until(lambda: differences(database, ann, rooms) == [], "the archive is equal to the server")
    database.close()
    archive.stop()
    total = sum(len(ann.timeline(room)) for room in rooms)
    return "the archive of %d events is equal after %d kills, %d of them while it stored" % (total, KILLS, busy)


def happen(dice, ann, ben, rooms, later, number):
    """Something happens that the archive has to follow."""
    room = dice.choice(rooms)
    for line in range(dice.randrange(1, 8)):
        ann.say(room, "line %d of %d" % (line, number))
    ben.say(rooms[0], "ben says %d" % number)
    if dice.randrange(2) == 0:
        event = dice.choice(ann.timeline(room))["eventId"]
        # Some events cannot be redacted.
        ann.try_to("redactEvent", roomId=room, eventId=event)
    step = {KILLS // 6: ("joinRoom", True), KILLS // 4: ("leaveRoom", True), KILLS // 2: ("joinRoom", False),
            KILLS // 3: ("setUserIgnored", True), 2 * KILLS // 3: ("setUserIgnored", False)}.get(number)
    match step:
        case ("joinRoom", has_opened):
            # Once without `RoomOpened` on the streams of this device, which the archive shares.
            ann.act("joinRoom", room={"roomId": later}, deliver="BOTH" if has_opened else "RESPONSE")
        case ("leaveRoom", _):
            ann.act("leaveRoom", roomId=later)
            ben.say(later, "while she was away")
        case ("setUserIgnored", is_ignored):
            ann.act("setUserIgnored", userId=ben.user_id, isIgnored=is_ignored)


def differences(database, ann, rooms):
    """The events that are not the same in the archive and in the timelines of the server."""
    found = []
    for room in rooms:
        query = "SELECT %s FROM events WHERE room = ? ORDER BY depth, sequence" % COLUMNS
        copies = database.execute(query, (room,)).fetchall()
        events = [
            (it["sequence"], it["depth"], it["eventId"], it["type"], it["stateKey"], it["sender"]["userId"], it["sentAt"],
             json.dumps(it["content"], sort_keys=True), int(it["isRedacted"]))
            for it in ann.timeline(room)]
        if copies != events:
            found += [pair for pair in zip(copies, events) if pair[0] != pair[1]] or [(len(copies), len(events))]
    return found
