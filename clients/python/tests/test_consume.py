"""Consumers of the client, over a network that cuts."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from network import Network
from people import at_once, client_of, create_room, register, URL
from rookery import BEGINNING, Batch, ConsumerEnded, LoggedOut, Refused, RequestFailed, connect

DELETE = 'mutation { deleteConsumer(input: { name: "bot" }) { refusal { code } } }'


def heard(batch: Batch) -> list[str]:
    return [item["text"] for item in batch.events if item["__typename"] == "MessageEvent"]


async def first_of(batches: AsyncGenerator[Batch, None]) -> Batch:
    return await asyncio.wait_for(anext(batches), 60)


class Consumers(unittest.IsolatedAsyncioTestCase):
    async def test_each_message_comes_over_cuts_and_batches_that_come_again_are_the_same(self) -> None:
        name = await register()
        budgets = iter(range(2000, 6000, 150))
        async with Network(lambda: next(budgets, 1 << 60)) as network, client_of(name, network.url) as client:
            room = await create_room(client)
            bodies = [f"message {number}" for number in range(60)]
            sending = asyncio.gather(*(client.send(room, body) for body in bodies))
            known: dict[str, tuple[str, list[dict[str, Any]]]] = {}
            texts: list[str] = []
            async with aclosing(client.consume("bot", begin=BEGINNING, max=5)) as batches:
                async for batch in batches:
                    if batch.batch is None:
                        continue
                    content = (batch.position, batch.events)
                    if batch.batch in known:
                        self.assertEqual(known[batch.batch], content, "a batch came again with other boundaries")
                    else:
                        texts += heard(batch)
                    known[batch.batch] = content
                    await batch.acknowledge()
                    if len(texts) >= len(bodies):
                        break
            await sending
            self.assertEqual(texts, bodies)
            self.assertGreaterEqual(network.cuts, 3)

    async def test_what_was_not_acknowledged_comes_to_the_next_program_and_the_first_one_ends(self) -> None:
        async with client_of(await register()) as client:
            room = await create_room(client)
            await client.send(room, "hello")
            first = client.consume("bot", begin=BEGINNING)
            one = await first_of(first)
            self.assertEqual(heard(one), ["hello"])
            async with connect(URL, token=client.token, wait=at_once) as other:
                second = other.consume("bot")
                again = await first_of(second)
                self.assertEqual((again.batch, again.position, heard(again)), (one.batch, one.position, ["hello"]))
                self.assertEqual(again.attempt, 2)
                with self.assertRaises(ConsumerEnded) as ended:
                    await first_of(first)
                self.assertEqual(ended.exception.code, "CONSUMER_TAKEN_OVER")
                await again.acknowledge()
                await again.acknowledge()
                with self.assertRaises(Refused) as refused:
                    await other.acknowledge("other", again.position)
                self.assertEqual(refused.exception.code, "NO_SUCH_CONSUMER")
                await second.aclose()

    async def test_deleted_consumer_ends_with_its_code(self) -> None:
        async with client_of(await register()) as client:
            batches = client.consume("bot")
            await first_of(batches)
            waiting = asyncio.create_task(first_of(batches))
            await client.query(DELETE)
            with self.assertRaises(ConsumerEnded) as ended:
                await waiting
            self.assertEqual(ended.exception.code, "CONSUMER_DELETED")
            self.assertTrue(ended.exception.message)

    async def test_logout_on_another_device_ends_everything(self) -> None:
        name = await register()
        async with client_of(name) as client, client_of(name) as other:
            batches = client.consume("bot")
            await first_of(batches)
            waiting = asyncio.create_task(first_of(batches))
            await other.log_out(everywhere=True)
            with self.assertRaises(LoggedOut) as ended:
                await waiting
            self.assertEqual(ended.exception.code, "UNAUTHENTICATED")
            with self.assertRaises(LoggedOut):
                await client.query("{ server { name } }")

    async def test_consumer_that_the_server_does_not_accept_ends_with_its_code(self) -> None:
        async with client_of(await register()) as client:
            with self.assertRaises(RequestFailed) as failed:
                await first_of(client.consume("no name at all!"))
            self.assertEqual(failed.exception.code, "BAD_USER_INPUT")

    async def test_pauses_grow_while_the_server_is_away_and_begin_again_after_a_batch(self) -> None:
        attempts: list[int] = []
        network = Network()

        async def wait(attempt: int) -> None:
            attempts.append(attempt)
            network.is_down = attempt < 4
            await asyncio.sleep(0)

        async with network, client_of(await register()) as ada:
            room = await create_room(ada)
            async with connect(network.url, token=ada.token, wait=wait) as client:
                async with aclosing(client.consume("bot", begin=BEGINNING)) as batches:
                    batch = await first_of(batches)
                    for number in range(2):
                        await batch.acknowledge()
                        network.is_down = True
                        waiting = asyncio.create_task(first_of(batches))
                        network.cut()
                        await ada.send(room, f"message {number}")
                        batch = await waiting
                        self.assertEqual(heard(batch), [f"message {number}"])
            self.assertEqual(attempts, [1, 2, 3, 4, 1, 2, 3, 4])
