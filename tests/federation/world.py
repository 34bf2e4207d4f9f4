"""The servers of a run, each started when a scenario asks for it, and the users that scenarios make on them."""

import json
import os
import sqlite3
import subprocess
import sys
import time

import certificates
import servers
from matrix import MatrixUser
from network import Network
from rookery import RookeryUser
from processes import WAIT, until


class World:
    """Up to two servers of each kind, with a network between them."""

    def __init__(self, program, folder, options):
        self.program, self.folder, self.options = program, folder, options
        self.certificates = certificates.make(folder)
        self.network = Network(self.certificates)
        self.started, self.users = {}, 0

    def server(self, kind, number):
        """A server, started now if it is asked for the first time."""
        name = "%s%d" % (kind, number)
        if name not in self.started:
            folder = os.path.join(self.folder, name)
            os.makedirs(folder)
            if kind == "rookery":
                made = servers.rookery(self.program, folder, self.certificates, self.network)
            else:
                made = servers.synapse(sys.executable, folder, self.certificates, self.network)
            made.name = name
            self.started[name] = made
            made.start()
        return self.started[name]

    @property
    def rookery(self):
        return self.server("rookery", 1)

    @property
    def other_rookery(self):
        return self.server("rookery", 2)

    @property
    def synapse(self):
        return self.server("synapse", 1)

    @property
    def other_synapse(self):
        return self.server("synapse", 2)

    def user(self, server, name):
        """A new user of a server. Users of both kinds have the same verbs."""
        self.users += 1
        kind = RookeryUser if server.name.startswith("rookery") else MatrixUser
        return kind(server, "%s%d" % (name, self.users))

    def log_of(self, server, room):
        """The events of a room in the log of a server of ours, in order: ID, status and event."""
        lines = subprocess.run(
            [self.program, "log", "tail", "--after", "0", "--data", server.data], stdout=subprocess.PIPE, check=True,
            text=True).stdout.splitlines()
        commits = [json.loads(line) for line in lines if '"room/%s"' % room in line]
        return [(it["id"], it["envelope"]["status"], it["content"]) for commit in commits for it in commit["events"]]

    @staticmethod
    def soft_failed_at(server, room):
        """The IDs of the events of a room that a Synapse has soft-failed, from its database."""
        database = sqlite3.connect("file:%s?mode=ro" % server.database, uri=True)
        rows = database.execute("SELECT event_id, internal_metadata FROM event_json WHERE room_id = ?", (room,)).fetchall()
        database.close()
        return {event for event, metadata in rows if json.loads(metadata).get("soft_failed")}

    def cut_off(self, server, other=None):
        """Ends all requests to and from a server, or between two of them."""
        self.network.cut(server.server_name, other and other.server_name)

    def mend(self):
        self.network.mend()

    def check_alive(self):
        """Fails if a server that should run has ended."""
        for name, server in self.started.items():
            if server.process.poll() is not None:
                raise SystemExit("%s has ended" % name)

    def fail(self):
        for program in self.started.values():
            print("--- %s\n%s" % (program.name, program.text()[-6000:]), file=sys.stderr)

    def close(self):
        for program in self.started.values():
            program.kill()


def pause():
    """Leaves the processors to the servers for a moment: each look is work for them."""
    time.sleep(0.1)
    return False


def until_equal(what, expected, *looks, wait=WAIT):
    """Waits until all these answer the expected value, and shows the last answers if they do not."""
    answers = [None]

    def agree():
        answers[:] = [look() for look in looks]
        return all(answer == expected for answer in answers) or pause()
    try:
        until(agree, what, wait)
    except SystemExit:
        for answer in answers:
            print("expected %s\nbut got  %s" % (expected, answer), file=sys.stderr)
        raise


def until_same(what, *looks, wait=WAIT):
    """Waits until all these answer the same, and returns it."""
    answers = [None]

    def agree():
        answers[:] = [look() for look in looks]
        return all(answer == answers[0] for answer in answers) or pause()
    try:
        until(agree, what, wait)
    except SystemExit:
        for answer in answers:
            print("these differ: %s" % (answer,), file=sys.stderr)
        raise
    return answers[0]


def until_heard(people, room, said, wait=WAIT):
    """Waits until all have heard the last of these messages, and then exactly these in this order."""
    def is_heard(who):
        return lambda: who.heard(room, 5)[-1:] == said[-1:]
    for who in people:
        until_equal("%s has heard %s" % (who.user_id, said[-1]), True, is_heard(who), wait=wait)
    for who in people:
        until_equal("%s has heard all" % who.user_id, said, lambda who=who: who.heard(room), wait=10)


def until_state_is_one(people, room, rounds=10, wait=6):
    """Lets each of these say something until all their servers have the same state, and have heard all that was said."""
    states = []
    for number in range(rounds):
        last = [who.say(room, "round %d of %s" % (number, who.user_id)) for who in people]

        def agree():
            states[:] = [who.state(room) for who in people]
            return all(state == states[0] for state in states) and all(
                who.event(room, event) for who in people for event in last)
        end = time.monotonic() + wait
        while time.monotonic() < end:
            if agree():
                return states[0]
            time.sleep(0.3)
    for who, state in zip(people, states):
        other = [it for it in states if it != state]
        differing = {entry for it in other for entry in set(it) | set(state) if it.get(entry) != state.get(entry)}
        holders = who.holders(room)
        print("%s has %s" % (who.user_id, {entry: holders.get(entry) for entry in sorted(differing)}), file=sys.stderr)
        print("%s lacks %s" % (who.user_id, [it for it in last if not who.event(room, it)]), file=sys.stderr)
    raise SystemExit("the servers do not come to one state in %s" % room)
