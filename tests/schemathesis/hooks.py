"""Facts that schemathesis cannot know of the server: the values of its scalars, and the form of a valid answer.

Most of the values are of the server (ROOKERY_SAMPLES, a JSON object of lists by scalar), so that operations find something;
the others are well-formed, or any text.
"""

import atexit
import collections
import json
import os
import re
from pathlib import Path

import schemathesis
from graphql import NameNode, ObjectFieldNode, ObjectValueNode, StringValueNode
from hypothesis import strategies as st
from hypothesis_graphql import nodes

SAMPLES = json.loads(os.environ["ROOKERY_SAMPLES"])

WELL_FORMED = {
    "CallID": st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True),
    "Cursor": st.from_regex(r"[A-Za-z0-9_-]{10,64}", fullmatch=True),
    "DateTime": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    "EventID": st.from_regex(r"\$[A-Za-z0-9_-]{43}", fullmatch=True),
    "ID": st.from_regex(r"[A-Za-z0-9_=-]{10,64}", fullmatch=True),
    "Position": st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True),
    "RoomAlias": st.from_regex(r"#[a-z0-9._-]{1,20}:localhost", fullmatch=True),
    "RoomID": st.from_regex(r"![A-Za-z0-9_-]{43}", fullmatch=True),
    "SyncCursor": st.from_regex(r"[A-Za-z0-9_-]{10,64}", fullmatch=True),
    "UserID": st.from_regex(r"@[a-z0-9._=/-]{1,20}:localhost", fullmatch=True),
}


def mostly(samples, other):
    """Five of six values are samples, if there are any; a failure is reduced to samples, too."""
    if not samples:
        return other
    none = [None] * max(1, len(samples) // 5)
    return st.sampled_from(samples + none).flatmap(lambda value: other if value is None else st.just(value))


def json_object(pairs):
    """An object literal with these texts."""
    fields = (ObjectFieldNode(name=NameNode(value=name), value=StringValueNode(value=text)) for name, text in pairs.items())
    return ObjectValueNode(fields=tuple(fields))


for name, well_formed in WELL_FORMED.items():
    texts = mostly(SAMPLES.get(name), well_formed | st.text(max_size=80))
    schemathesis.graphql.scalar(name, texts.map(nodes.String))
schemathesis.graphql.scalar("String", mostly(SAMPLES["String"], st.text()).map(nodes.String))
schemathesis.graphql.scalar("Int", mostly([1, 2, 3, 10, 50], st.integers(-(2**31), 2**31 - 1)).map(nodes.Int))
objects = st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.text(max_size=40), max_size=4)
schemathesis.graphql.scalar("JSON", objects.map(json_object))


def documented():
    """The codes in the table of the guide."""
    guide = (Path(__file__).parents[2] / "docs/graphql.md").read_text()
    table = guide.split("| `extensions.code` |")[1].split("\n\n")[0]
    return {code for row in table.splitlines()[2:] for code in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}


# Codes of a fault of the server, or of a lost login.
FAULTS = {"INTERNAL", "UNAVAILABLE", "TIMEOUT", "UNAUTHENTICATED"}
CODES = documented() - FAULTS

# Texts that only the source of the server or of its libraries contains.
INTERNALS = re.compile(r"panicked|\.rs\b|::|async.graphql|rookery_|\bsled\b|/(?:home|root|tmp|data)/|RUST_|\bSELECT\b|Option<")

# The number of answers with data of each operation, and the number of errors with each code.
answers = {"with": collections.Counter(), "without": collections.Counter(), "codes": collections.Counter()}


@schemathesis.check
def errors_are_documented(ctx, response, case):
    """The answer to any request is GraphQL and states its cost; its errors have codes and reveal no internals."""
    assert response.status_code < 500, f"status {response.status_code}"
    answer = response.json()
    assert "data" not in answer or "cost" in answer["extensions"], "an answer without its cost"
    had_data = any((answer.get("data") or {}).values())
    answers["with" if had_data else "without"][case.operation.label] += 1
    for error in answer.get("errors", []):
        code = error.get("extensions", {}).get("code")
        answers["codes"][code] += 1
        assert code in CODES, f"the code is {code}: {error['message']}"
        leak = INTERNALS.search(json.dumps(error))
        assert not leak or leak.group() in case.body, f"internals: {error}"


@atexit.register
def report():
    """Passes the counts to run.py."""
    Path(os.environ["ROOKERY_COUNTS"]).write_text(json.dumps(answers))
