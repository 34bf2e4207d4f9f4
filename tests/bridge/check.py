#!/usr/bin/env python3
"""heisenbridge, unmodified, bridges ngircd: a whole conversation, then one in which everything is killed at random.

    python3 tests/bridge/check.py ROOKERY HEISENBRIDGE_PACKAGES NGIRCD [--minutes N] [--seed S]
"""

import argparse
import random
import sys
import tempfile
import time
import urllib.error
import urllib.request

import processes
from people import Chatter, Refused, User
from processes import until
from proxies import Lines, Pushes

CHANNEL = "#rookery"
# How long before its kill the bridge may have lost what it had taken: it answers a push before it works on it.
GRACE = 2.0


class World:
    """All programs, the recorders between them, and the two who talk."""

    def __init__(self, arguments, folder):
        self.server = processes.rookery(arguments.rookery, folder)
        self.server.start()
        self.irc = processes.ngircd(arguments.ngircd, folder)
        self.irc.start()
        self.ann = User(self.server.port, "ann")
        # The recorder needs the port of the bridge, and the registration that of the recorder.
        homeserver = "http://127.0.0.1:%d" % self.server.port
        self.bridge = processes.heisenbridge(arguments.heisenbridge, folder, folder + "/registration.yaml", homeserver)
        self.pushes = Pushes(self.bridge.port, lambda: self.bridge.has_said("bridge is now running!"))
        self.lines = Lines(self.irc.port)
        assert self.status_of("/_matrix/client/versions") == 404, "there is something for bridges without a bridge"
        registration = processes.generate(arguments.heisenbridge, folder, self.pushes.port)
        processes.register(arguments.rookery, folder, registration)
        self.bridge.start()
        self.bob = Chatter(self.irc.port, "bob", CHANNEL)
        self.programs = [self.server, self.bridge, self.irc]

    def status_of(self, path, token=None):
        """The status of a request to the server."""
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.server.port, path))
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            return urllib.request.urlopen(request, timeout=20).status
        except urllib.error.HTTPError as error:
            return error.code

    def close(self):
        for program in self.programs:
            program.kill()


def heisenbridge_holds_a_whole_conversation(world):
    """From the first word to the bot to messages both ways."""
    ann = world.ann
    control = ann.act(
        "createRoom", "room { roomId }", invite=["@heisenbridge:bridge.test"], isDirect=True)["room"]["roomId"]

    def bot_says(room, part):
        return until(lambda: any(part in text for sender, text in ann.heard(room)
                                 if sender == "@heisenbridge:bridge.test"), "the bot says %r" % part)

    bot_says(control, "Howdy, stranger!")
    ann.say(control, "ADDNETWORK test")
    bot_says(control, "Network added")
    ann.say(control, "ADDSERVER test 127.0.0.1 %d" % world.lines.port)
    bot_says(control, "Server added")
    ann.say(control, "OPEN test")

    def joined(name):
        def look():
            ann.join_invited()
            return ann.rooms()[0].get(name)
        return until(look, "ann is in the room %s" % name)

    network = joined("test")
    ann.say(network, "NICK ann")
    ann.say(network, "CONNECT")
    welcome = "Welcome to the Internet Relay Network"
    until(lambda: any(welcome in text for _, text in ann.heard(network)), "the IRC server welcomes ann")
    ann.say(network, "JOIN %s" % CHANNEL)
    channel = joined("%s (test)" % CHANNEL)
    until(world.bob.joined.is_set, "bob is in the channel")
    ann.say(channel, "hello from Rookery")
    until(lambda: "hello from Rookery" in world.bob.texts(), "bob hears ann")
    world.bob.say("hello from IRC")
    bob = ("@irc_test_bob:bridge.test", "hello from IRC")
    until(lambda: bob in ann.heard(channel), "ann hears bob")
    world.bob.say("\x01ACTION waves\x01")
    until(lambda: (bob[0], "waves") in ann.heard(channel), "ann sees bob wave")
    return channel


def bridges_are_asked_for_users_and_serve_no_others(world, channel):
    """The server asks the bridge for a user of its namespaces. Tokens of users are no tokens of services."""
    try:
        world.ann.act("inviteUser", "room { roomId }", roomId=channel, userId="@irc_test_nobody:bridge.test")
        raise SystemExit("a user whom nobody has made was invited")
    except Refused as refused:
        code = refused.args[0]["code"]
        assert code in ("NO_SUCH_USER", "INSUFFICIENT_POWER"), refused
    asked = "/_matrix/app/v1/users/%40irc_test_nobody%3Abridge.test"
    assert asked in world.pushes.questions, (world.pushes.questions, code)
    assert world.status_of("/_matrix/client/versions", world.ann.token) == 401, "a token of a user is taken"
    assert world.status_of("/_matrix/client/versions") == 401, "no token is needed"


def storm(world, channel, minutes, dice):
    """Messages both ways, while the programs are killed at random and started again."""
    said, heard_from = {}, []
    end, number = time.monotonic() + minutes * 60, 0
    next_kill = time.monotonic() + 3
    while time.monotonic() < end:
        number += 1
        text = "message %d" % number
        said[text] = world.ann.say(channel, text)
        if world.bob.say("line %d" % number):
            heard_from.append("line %d" % number)
        # The bridge sends a line every 1.5 s at most, and forgets those that wait when it is killed.
        time.sleep(dice.uniform(1.6, 2.2))
        if time.monotonic() >= next_kill:
            program = dice.choice(world.programs)
            program.kill()
            time.sleep(dice.uniform(0, 1.5))
            program.start()
            next_kill = time.monotonic() + dice.uniform(4, 12)
    return said, heard_from


def settle(world, channel):
    """Waits until a message comes through again."""
    number = 0

    def through():
        nonlocal number
        number += 1
        text = "are you there %d" % number
        world.ann.say(channel, text)
        stop = time.monotonic() + 5
        while time.monotonic() < stop:
            if text in world.bob.texts():
                return True
            time.sleep(0.1)
        return False

    until(through, "a message comes through after the kills", 180)


def each_message_is_on_irc_once_or_reported(world, channel, said):
    """Every message of ann is on IRC once, or the bridge has reported it, or the bridge was killed with it."""
    on_irc = [text for _, text in world.lines.messages(CHANNEL)]
    reports = sum(text.count("Not connected to network.") for _, text in world.ann.heard(channel))
    # The bridge reports in its log what it cannot report in the room.
    reports += len(processes.lines_of(world.bridge, "Queued event failed"))
    counts = {"once": 0, "reported": 0, "killed with the bridge": 0}
    wrong = []
    for text, event_id in said.items():
        tries = [entry for entry in world.pushes.of_event(event_id) if entry["passed"]]
        taken = [entry for entry in tries if entry["status"] == 200]
        if not taken:
            wrong.append("%r was never taken by the bridge" % text)
            continue
        moment, copies = taken[0]["ended"], on_irc.count(text)
        killed = any(entry["began"] <= kill <= (entry["ended"] or moment) + GRACE
                     for kill in world.bridge.kills for entry in tries)
        if copies == 1:
            counts["once"] += 1
        elif killed:
            counts["killed with the bridge"] += 1
        elif copies == 0 and not world.lines.is_connected_at(moment, 1):
            counts["reported"] += 1
        else:
            wrong.append("%r is on IRC %d times; taken at %.1f" % (text, copies, moment))
    if counts["reported"] and not reports:
        wrong.append("the bridge lost %d messages and reported none" % counts["reported"])
    assert not wrong, (wrong, {program.name: program.kills for program in world.programs}, world.lines.connected)
    return counts


def main():
    parser = argparse.ArgumentParser()
    for name in ("rookery", "heisenbridge", "ngircd"):
        parser.add_argument(name)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(arguments, folder)
        try:
            channel = heisenbridge_holds_a_whole_conversation(world)
            bridges_are_asked_for_users_and_serve_no_others(world, channel)
            print("the conversation works in both directions", flush=True)
            said, lines = storm(world, channel, arguments.minutes, random.Random(arguments.seed))
            settle(world, channel)
            counts = each_message_is_on_irc_once_or_reported(world, channel, said)
            bodies, tries = world.pushes.transactions_come_in_order_and_never_change()
        except BaseException:
            for program in world.programs:
                print("--- %s\n%s" % (program.path, program.text()[-4000:]), file=sys.stderr)
            raise
        finally:
            world.close()
    kills = {program.name: len(program.kills) - 1 for program in world.programs}
    print("seed %d, kills %s" % (arguments.seed, kills))
    print("%d messages of ann: %s; %d lines of bob" % (len(said), counts, len(lines)))
    print("%d transactions in order, %d tries, none changed" % (len(bodies), len(tries)))


if __name__ == "__main__":
    main()
