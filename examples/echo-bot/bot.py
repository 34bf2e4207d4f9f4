"""A bot that repeats what others say.

    python3 -m venv bot && bot/bin/pip install ./clients/python
    bot/bin/python examples/echo-bot/bot.py http://127.0.0.1:8008 TOKEN

It may be killed and started at any time: the server remembers how far it has come, and takes each answer once.
"""

import asyncio
import sys
from contextlib import suppress

from rookery import BEGINNING, Refused, connect


async def main(url: str, token: str) -> None:
    async with connect(url, token=token) as client:
        async for batch in client.consume("echo", begin=BEGINNING):
            for item in batch.events:
                with suppress(Refused):
                    if item["__typename"] == "Invited":
                        await client.join(item["room"]["roomId"])
                    elif item["__typename"] == "MessageEvent" and item["sender"]["userId"] != client.user_id:
                        words = f"You said: {item['text']}"
                        await client.send(item["room"]["roomId"], words, transaction_id=item["eventId"])
                        print(f"{item['sender']['userId']}: {item['text']}", flush=True)
            await batch.acknowledge()


asyncio.run(main(*sys.argv[1:]))
