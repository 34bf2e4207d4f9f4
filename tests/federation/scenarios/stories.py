"""Generated stories of three servers: joins, bans, levels, topics and cuts, which end in one state everywhere."""

import random

from people import Refused
from registry import scenario
from world import until_equal, until_state_is_one

STEPS = 40


class Story:
    """What happens in one room, all of it chosen by a seed."""

    def __init__(self, world, seed):
        self.world, self.random, self.told = world, random.Random(seed), []
        self.servers = [world.rookery, world.synapse, world.other_synapse]
        # The first user of each server stays, so that each can be asked for its state.
        self.stays = [world.user(server, "stays") for server in self.servers]
        self.others = [world.user(server, "other") for server in self.servers for _ in range(2)]
        self.version = self.random.choice(["10", "11", "12"])
        creator = self.stays[0]
        alias = "story%d" % world.users
        self.room = creator.create_room(self.version, alias=alias)
        self.alias = "#%s:%s" % (alias, creator.server.server_name)
        for user in self.stays[1:] + self.others:
            user.join(self.alias)
        everybody = {user.user_id for user in self.stays + self.others}
        for user in self.stays:
            until_equal("%s sees all" % user.user_id, everybody, lambda user=user: user.members(self.room))
        for user in self.stays[1:]:
            self.step(creator, "set_level", user.user_id, 90)
        for user in self.others:
            self.step(creator, "set_level", user.user_id, self.random.choice([0, 50, 60]))
        until_state_is_one(self.stays, self.room)

    def step(self, who, verb, *given):
        """One action. It may be refused by the server of the user, which is a part of the story."""
        try:
            getattr(who, verb)(self.room, *given)
            outcome = ""
        except Refused:
            outcome = " (refused)"
        self.told.append("%s %s %s%s" % (who.user_id, verb, " ".join(map(str, given)), outcome))

    def choose(self):
        """The next step."""
        who = self.random.choice(self.stays + self.others * 2)
        other = self.random.choice(self.others)
        number = len(self.told)
        return self.random.choice([
            lambda: self.step(who, "say", "words %d" % number),
            lambda: self.step(who, "set_topic", "topic %d" % number),
            lambda: self.step(who, "set_name", "name %d" % number),
            lambda: self.step(who, "set_state", "org.example.setting", {"number": number}, "key%d" % (number % 3)),
            lambda: self.step(who, "ban", other.user_id),
            lambda: self.step(who, "unban", other.user_id),
            lambda: self.step(who, "kick", other.user_id),
            lambda: self.step(who, "set_level", other.user_id, self.random.choice([0, 50, 60])),
            lambda: self.step(other, "leave"),
            lambda: self.step(other, "join"),
            lambda: self.step(other, "join"),
            self.cut_or_mend,
            self.cut_or_mend,
        ])

    def cut_or_mend(self):
        if self.random.random() < 0.4:
            self.told.append("mend")
            self.world.mend()
            return
        one, other = self.random.sample(self.servers, 2)
        if self.random.random() < 0.5:
            other = None
        self.told.append("cut %s from %s" % (one.name, other.name if other else "all"))
        self.world.cut_off(one, other)

    def tell(self):
        for _ in range(STEPS):
            self.choose()()
        self.world.mend()
        until_state_is_one(self.stays, self.room, rounds=15)


@scenario
def generated_stories_of_three_servers_end_in_one_state(world):
    for seed in range(world.options.seed, world.options.seed + world.options.stories):
        story = None
        try:
            story = Story(world, seed)
            story.tell()
        except BaseException:
            print("story %d, in a room of version %s: repeat it by `--seed %d --stories 1`" % (
                seed, story and story.version, seed))
            for line in story.told if story else []:
                print("    " + line)
            raise
        finally:
            world.mend()
        print("    story %d ends in one state" % seed, flush=True)
