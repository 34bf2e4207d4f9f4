#!/usr/bin/env python3
"""Copies all rooms of a user into a SQLite database, from the beginning of the log, and goes on with new events.

    python3 -m venv archive && archive/bin/pip install ./clients/python
    archive/bin/python examples/archive.py http://127.0.0.1:8008 TOKEN rooms.sqlite

It consumes under the name `archive`. It stores a batch in one transaction, and acknowledges it then. If it is killed in
between, the batch comes again and is stored again, with the same result. So it may be killed at any time. To copy
everything from the beginning, delete the database and the consumer (`deleteConsumer`).
"""

import asyncio
import json
import sqlite3
import sys
from typing import Any

from rookery import BEGINNING, Client, connect

FIELDS = "eventId sequence depth type stateKey sentAt content isRedacted sender { userId }"

CONSUME = f"""
subscription Archive($name: String!, $filter: FilterBy, $from: PlaceInput) {{
  consume(name: $name, filter: $filter, from: $from) {{
    events {{
      __typename
      ... on RoomEvent {{ {FIELDS} room {{ roomId }} }}
      ... on RedactionEvent {{ redacts }}
      ... on RoomOpened {{ room {{ roomId }} cursor }}
      ... on IgnoredUsersChanged {{ user {{ isIgnored }} }}
    }}
    skipped {{ roomId first last reason }}
    position
    batch
  }}
}}
"""

PAGE = f"""
query Page($room: RoomID!, $before: Cursor) {{
  room(by: {{ roomId: $room }}) {{
    timeline(last: 100, before: $before) {{ nodes {{ {FIELDS} }} pageInfo {{ hasPreviousPage startCursor }} }}
  }}
}}
"""

EVENT = f"query Event($event: EventID!) {{ event(eventId: $event) {{ {FIELDS} room {{ roomId }} }} }}"

TABLE = """
CREATE TABLE IF NOT EXISTS events (
  room TEXT, sequence INTEGER, depth INTEGER, event TEXT UNIQUE, type TEXT, state_key TEXT, sender TEXT, sent TEXT,
  content TEXT, redacted INTEGER, PRIMARY KEY (room, sequence)
)
"""


class Archive:
    """The copy. In the order `depth`, then `sequence`, the events of a room are its timeline."""

    def __init__(self, client: Client, database: sqlite3.Connection) -> None:
        self.client, self.database = client, database
        database.execute(TABLE)

    def store(self, room: str, event: dict[str, Any]) -> None:
        names = ("sequence", "depth", "eventId", "type", "stateKey")
        row = [room, *(event[name] for name in names), event["sender"]["userId"], event["sentAt"]]
        row += [json.dumps(event["content"], sort_keys=True), event["isRedacted"]]
        self.database.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    async def store_history(self, room: str, before: str | None = None, wanted: set[int] | None = None) -> None:
        """Stores the timeline of a room before a cursor, back to the beginning, or until it has the `wanted` numbers."""
        has_more = True
        while has_more:
            found = (await self.client.query(PAGE, {"room": room, "before": before}))["room"]
            if found is None:
                return  # The user has left it since.
            events, page = found["timeline"]["nodes"], found["timeline"]["pageInfo"]
            for event in events:
                self.store(room, event)
            if wanted is not None:
                wanted -= {event["sequence"] for event in events}
            before, has_more = page["startCursor"], page["hasPreviousPage"] and wanted != set()

    async def redact(self, event_id: str) -> None:
        """Stores an event as it is after its redaction."""
        self.database.execute("UPDATE events SET content = '{}', redacted = 1 WHERE event = ?", (event_id,))
        event = (await self.client.query(EVENT, {"event": event_id}))["event"]
        if event is not None:
            self.store(event["room"]["roomId"], event)

    async def take(self, item: dict[str, Any]) -> None:
        match item["__typename"]:
            case "RoomOpened":
                await self.store_history(item["room"]["roomId"], item["cursor"])
            case "IgnoredUsersChanged":
                if not item["user"]["isIgnored"]:  # What the user wrote meanwhile can be seen again.
                    for (room,) in self.database.execute("SELECT DISTINCT room FROM events").fetchall():
                        await self.store_history(room)
            case _ if "sequence" in item:
                self.store(item["room"]["roomId"], item)
        if item.get("redacts"):
            await self.redact(item["redacts"])

    async def run(self) -> None:
        late = {"conditions": {"includeLate": True}}
        async for batch in self.client.consume("archive", begin=BEGINNING, filter=late, document=CONSUME):
            with self.database:
                for item in batch.events:
                    await self.take(item)
                for gap in batch.skipped:  # Superseded state and fetched history are in no batch, and in the timeline.
                    if gap["reason"] in ("SUPERSEDED", "PAST"):
                        await self.store_history(gap["roomId"], wanted=set(range(gap["first"], gap["last"] + 1)))
            await batch.acknowledge()


async def main(url: str, token: str, path: str) -> None:
    async with connect(url, token=token) as client:
        await Archive(client, sqlite3.connect(path)).run()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
