#!/usr/bin/env python3
"""Rookery beside Synapse, unmodified, on loopback and with TLS. README.md says how to run it.

    SYNAPSE_PYTHON tests/federation/check.py ROOKERY [NAME...]

SYNAPSE_PYTHON is a Python that can import Synapse. A NAME is that of a file in `scenarios`, or a part of the name of a
scenario; without one, all run.
"""

import argparse
import sys
import tempfile
import time

import registry
from world import World


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("rookery", help="the program")
    parser.add_argument("names", nargs="*", help="files in `scenarios`, or parts of names of scenarios")
    parser.add_argument("--client", default=sys.executable, help="a Python with the client for Python")
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    parser.add_argument("--repeat", type=int, default=1, help="how often each runs")
    parser.add_argument("--stories", type=int, default=6, help="how many stories are generated")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first story")
    return parser.parse_args()


def main():
    registry.load()
    given = options()
    chosen = registry.chosen(given.names)
    if given.list:
        for group, function in chosen:
            print("%s: %s" % (group, function.__name__))
        return
    with tempfile.TemporaryDirectory() as folder:
        world = World(given.rookery, folder, given)
        try:
            for group, function in chosen * given.repeat:
                began = time.monotonic()
                function(world)
                world.check_alive()
                print("ok: %s: %s (%.0f s)" % (
                    group, function.__name__.replace("_", " "), time.monotonic() - began), flush=True)
        except BaseException:
            world.fail()
            raise
        finally:
            world.close()


if __name__ == "__main__":
    main()
