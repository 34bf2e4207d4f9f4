#!/usr/bin/env python3
"""Runs the programs in `examples/` against a server, as their users would.

    PYTHON -B tests/examples/check.py target/debug/rookery

PYTHON has the Python client: `cargo xtask test examples` makes it. `ROOKERY_EXAMPLE_KILLS=100` kills more often.
"""

import os
import sys
import tempfile

import archive
import echo
from programs import World, until


def check_bot(world, ann):
    """The bot answers each message once, although it is killed in between."""
    state = os.path.join(world.folder, "bot.json")
    bot = world.example("bot", "bot.py", world.address, "pingbot", "a long password", state)
    until(lambda: os.path.exists(state), "the bot logs in")
    room = ann.create_room(name="Ping", invite=["@pingbot:localhost"])
    # The bot hears the messages that come after its join.
    until(lambda: ann.members(room) == 2, "the bot joins the room")
    pings = []
    pongs = lambda: [it["text"] for it in ann.timeline(room) if (it["text"] or "").startswith("pong")]
    for _ in range(4):
        pings += [ann.say(room, "!ping") for _ in range(5)]
        answered = len(pings) - 2
        until(lambda: len(pongs()) >= answered, "the bot answers %d messages" % answered)
        bot.kill_and_start()
    until(lambda: len(pongs()) >= len(pings), "the bot answers all messages")
    bot.stop()
    assert sorted(pongs()) == sorted("pong to %d" % number for number in pings), pongs()
    return "the bot answers %d messages once each" % len(pings)


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        world = World(program, folder)
        try:
            ann = world.register("ann")
            print(check_bot(world, ann), flush=True)
            print(echo.check(world, ann, program), flush=True)
            print(archive.check(world, ann), flush=True)
        except BaseException:
            for process in world.running:
                print("--- %s\n%s" % (process.path, process.text()[-2000:]), file=sys.stderr)
            raise
        finally:
            world.close()


if __name__ == "__main__":
    main(sys.argv[1])
