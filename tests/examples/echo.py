"""examples/echo-bot: each message is echoed once and in order, although bot and server are killed at random."""

import os
import random
import subprocess
import time

from programs import KILLS, User, until


def check(world, ann, program):
    """The bot is a service, as in docs/services.md. Returns a sentence about what happened."""
    file = os.path.join(world.folder, "echo.toml")
    with open(file, "w", encoding="utf-8") as registration:
        registration.write('name = "echo"\n')
    added = subprocess.run(
        [program, "service", "add", file, "--data", world.data], check=True, capture_output=True, text=True)
    echo = User(world, "echo", added.stdout.split()[0])
    room = ann.create_room(name="Echo", invite=[echo.user_id])
    bot = world.example("echo", "echo-bot/bot.py", world.address, echo.token)
    until(lambda: ann.members(room) == 2, "the bot joins the room")
    dice = random.Random(0xEC40)
    said, servers = [], 0
    for number in range(KILLS):
        for line in range(dice.randrange(1, 5)):
            said.append("line %d of %d" % (line, number))
            ann.say(room, said[-1])
        if dice.randrange(2):
            # While it works: it has echoed something of these lines, but perhaps not all.
            until(lambda: len(ann.texts(room, echo)) > len(said) - 4, "the bot echoes")
        else:
            time.sleep(dice.random() / 2)
        if dice.randrange(5) == 0:
            servers += 1
            world.kill_server()
        bot.kill_and_start()
    echoes = ["You said: " + text for text in said]
    until(lambda: len(ann.texts(room, echo)) >= len(echoes), "the bot echoes all messages")
    # An echo that comes twice would come before that of a later message.
    ann.say(room, "the end")
    until(lambda: "You said: the end" in ann.texts(room, echo), "the bot echoes the last message")
    bot.stop()
    assert ann.texts(room, echo) == [*echoes, "You said: the end"], ann.texts(room, echo)
    return "the bot echoed %d messages once each, over %d kills and %d of the server" % (len(said) + 1, KILLS, servers)
