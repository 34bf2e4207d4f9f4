#!/usr/bin/env python3
"""Synapse, unmodified, and Rookery: a user of Synapse joins a room of Rookery by its alias, and both talk.

    SYNAPSE_PYTHON tests/federation/check.py ROOKERY

SYNAPSE_PYTHON is a Python that can import Synapse. All programs listen on loopback, with TLS by a certificate authority
that is made for the test.
"""

import argparse
import os
import sys
import tempfile

import certificates
import servers
from matrix import MatrixUser
from people import User
from processes import until


class World:
    """Both servers, and the two who talk."""

    def __init__(self, rookery, folder):
        made = certificates.make(folder)
        at = lambda name: os.makedirs(os.path.join(folder, name)) or os.path.join(folder, name)
        self.rookery = servers.rookery(rookery, at("rookery"), made)
        self.synapse = servers.synapse(sys.executable, at("synapse"), made)
        self.programs = [self.rookery, self.synapse]
        try:
            self.rookery.start()
            self.synapse.start()
            self.ann = User(self.rookery.port, "ann")
            self.ann.user_id = "@ann:" + self.rookery.server_name
            self.bob = MatrixUser(self.synapse.port, "bob")
        except BaseException:
            self.fail()
            raise

    def fail(self):
        for program in self.programs:
            print("--- %s\n%s" % (program.name, program.text()[-6000:]), file=sys.stderr)
        self.close()

    def close(self):
        for program in self.programs:
            program.kill()

    def until_both_heard(self, room, expected):
        """Waits until both have exactly these messages in this order."""
        def agree():
            return self.ann.heard(room) == expected and self.bob.heard(room) == expected
        try:
            until(agree, "both have the messages", 30)
        except SystemExit:
            print("expected %s\nann %s\nbob %s" % (expected, self.ann.heard(room), self.bob.heard(room)), file=sys.stderr)
            raise


def public_room(world, alias):
    """A room of Ann that everybody may join by its alias."""
    full = "#%s:%s" % (alias, world.rookery.server_name)
    made = world.ann.act("createRoom", "room { roomId }", name=alias, preset="PUBLIC", alias=full)
    return made["room"]["roomId"]


def talk(world, room, texts, expected):
    """Each says these texts in turns, and each waits until the other has the last one."""
    for number, text in enumerate(texts):
        who = world.ann if number % 2 == 0 else world.bob
        who.say(room, text)
        expected.append((who.user_id, text))
        world.until_both_heard(room, expected)


def user_of_synapse_joins_a_room_by_its_alias_and_both_talk(world):
    room = public_room(world, "garden")
    alias = "#garden:" + world.rookery.server_name
    assert world.bob.join(alias) == room
    until(lambda: world.bob.user_id in world.bob.members(room), "Bob is a member")
    expected = []
    talk(world, room, ["hello", "hi", "how are you", "fine"], expected)
    # Many at once, from one side after the other: each side has them once and in order.
    for number in range(40):
        world.ann.say(room, "a%d" % number)
        expected.append((world.ann.user_id, "a%d" % number))
    world.until_both_heard(room, expected)
    for number in range(40):
        world.bob.say(room, "b%d" % number)
        expected.append((world.bob.user_id, "b%d" % number))
    world.until_both_heard(room, expected)


CHECKS = [user_of_synapse_joins_a_room_by_its_alias_and_both_talk]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rookery")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(arguments.rookery, folder)
        try:
            for check in CHECKS:
                check(world)
                print("ok: %s" % check.__name__.replace("_", " "))
        except BaseException:
            world.fail()
            raise
        world.close()


if __name__ == "__main__":
    main()
