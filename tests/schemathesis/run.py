"""Sends the server at ROOKERY_URL the requests that schemathesis generates from its schema, as a logged-in user.

`cargo xtask test schemathesis` runs it. SCHEMATHESIS_SEED makes it another run, SCHEMATHESIS_EXAMPLES a longer one. How much
is sent does not depend on how fast the machine is: a slow one would try less and say the same.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import samples

SEED = int(os.environ.get("SCHEMATHESIS_SEED", "1"))
# Requests of each operation in each round; with this number all of it takes about a minute.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "10"))
# A round that takes longer has failed.
SECONDS_MAX = 60 * EXAMPLES

# A seed gives every operation the same random values, so there are two; a third round has invalid requests.
ROUNDS = [("positive", SEED), ("positive", SEED + 1), ("negative", SEED)]

# These end the session of all requests.
EXCLUDED = ["Mutation.logOut", "Mutation.removeDevice"]


def run(mode, seed, token, found):
    """One round; returns whether it passed, and its counts."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.json"
        arguments = [
            "run",
            samples.URL,
            f"--header=Authorization: Bearer {token}",
            f"--mode={mode}",
            f"--seed={seed}",
            f"--max-examples={EXAMPLES}",
            "--checks=errors_are_documented",
            *(f"--exclude-name={name}" for name in EXCLUDED),
            "--phases=fuzzing",
            "--warnings=off",
            "--request-timeout=30",
            "--generation-database=none",
            "--no-color",
        ]
        settings = {
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]),
            "ROOKERY_COUNTS": str(counts),
            "ROOKERY_SAMPLES": json.dumps(found),
            "SCHEMATHESIS_HOOKS": "hooks",
        }
        program = [sys.executable, "-B", "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
        code = subprocess.run(
            program + arguments, cwd=folder, env=os.environ | settings, timeout=SECONDS_MAX
        ).returncode
        return code == 0, json.loads(counts.read_text()) if counts.exists() else {}


def main():
    again = f"SCHEMATHESIS_SEED={SEED} SCHEMATHESIS_EXAMPLES={EXAMPLES} cargo xtask test schemathesis"
    print(f"the same again: {again}", flush=True)
    token, found = samples.make()
    totals = collections.defaultdict(collections.Counter)
    for mode, seed in ROUNDS:
        well, counts = run(mode, seed, token, found)
        for name, numbers in counts.items():
            totals[name].update(numbers)
        if not well:
            sys.exit(f"failed; the same again: {again}")
    operations = totals["with"].keys() | totals["without"].keys()
    silent = sorted(operations - totals["with"].keys())
    print(f"{totals['with'].total()} answers with data, {totals['without'].total()} without; codes: {dict(totals['codes'])}")
    print(f"never with data: {', '.join(silent) or 'none'}")
    if len(silent) * 2 > len(operations) or not operations:
        sys.exit("most operations were never answered with data: the samples no longer fit the schema")


main()
