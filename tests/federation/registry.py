"""The scenarios, by the file that has them."""

import importlib
import pathlib

SCENARIOS = []


def scenario(function):
    """A scenario: a function of the world, whose name says what holds."""
    SCENARIOS.append((function.__module__.rpartition(".")[2], function))
    return function


def load():
    """Reads all files in `scenarios`, in the order of their names."""
    for path in sorted((pathlib.Path(__file__).parent / "scenarios").glob("*.py")):
        importlib.import_module("scenarios." + path.stem)


def chosen(names):
    """The scenarios of these files, and those with one of these texts in their names; all without names."""
    def fits(group, function, name):
        return name == group or name in function.__name__
    for name in names:
        if not any(fits(group, function, name) for group, function in SCENARIOS):
            raise SystemExit("no file and no scenario is called `%s`" % name)
    return [(group, function) for group, function in SCENARIOS
            if not names or any(fits(group, function, name) for name in names)]
