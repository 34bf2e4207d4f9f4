"""Actions of the client, over a network that cuts."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, cast

from network import Network
from people import CREATE_ROOM, URL, at_once, client_of, create_room, register, texts
from rookery import Refused, connect
from rookery._actions import Actions
from rookery._documents import JOIN
from rookery._link import Link


class ActionsOfAClient(unittest.IsolatedAsyncioTestCase):
    async def test_numbered_actions_happen_once_and_in_order_over_cuts(self) -> None:
        name = await register()
        budgets = iter(range(900, 4000, 100))
        async with Network(lambda: next(budgets, 1 << 60)) as network, client_of(name, network.url) as client:
            room = await create_room(client)
            bodies = [f"message {number}" for number in range(50)]
            sent = await asyncio.gather(*(client.send(room, body) for body in bodies))
            self.assertEqual(await texts(client, room), bodies)
            self.assertEqual(len({answer["event"]["eventId"] for answer in sent}), len(bodies))
            self.assertEqual(client.last_action_id, len(bodies) + 1)
            self.assertGreaterEqual(network.cuts, 3)

    async def test_event_with_a_transaction_id_is_sent_once_also_by_the_next_run(self) -> None:
        name = await register()
        budgets = iter(range(900, 4000, 100))
        async with Network(lambda: next(budgets, 1 << 60)) as network, client_of(name, network.url) as client:
            room = await create_room(client)
            names = [f"answer to {number}" for number in range(30)]

            async def answer(sender: str) -> list[str]:
                async with client_of(sender, network.url) as run:
                    answers = await asyncio.gather(*(run.send(room, body, transaction_id=body) for body in names))
                    return [str(sent["event"]["eventId"]) for sent in answers]

            first, second = await asyncio.gather(answer(name), answer(name))
            self.assertEqual(first, second)
            self.assertEqual(sorted(await texts(client, room)), sorted(names))
            self.assertGreaterEqual(network.cuts, 3)

    async def test_two_programs_on_one_device_take_over_each_others_numbers(self) -> None:
        async with client_of(await register()) as one:
            room = await create_room(one)
            async with connect(URL, token=one.token, wait=at_once) as other:
                self.assertEqual(other.last_action_id, 1)
                sends = [client.send(room, f"{who} {n}") for n in range(15) for who, client in (("a", one), ("b", other))]
                await asyncio.gather(*sends)
                expected = sorted(f"{who} {n}" for n in range(15) for who in "ab")
                self.assertEqual(sorted(await texts(one, room)), expected)

    async def test_number_of_an_earlier_run_is_repeated(self) -> None:
        async with client_of(await register()) as first:
            room = await create_room(first)
            sent = await first.act(SEND, {"roomId": room, "body": "hello"}, action_id=2)
            async with connect(URL, token=first.token, wait=at_once) as second:
                again = await second.act(SEND, {"roomId": room, "body": "hello"}, action_id=2)
                self.assertEqual(again["event"], sent["event"])
                later = await second.send(room, "later")
                self.assertEqual((second.last_action_id, await texts(second, room)), (3, ["hello", "later"]))
                self.assertIsNotNone(later["event"])

    async def test_refusal_is_an_exception_with_the_code_and_message_of_the_server(self) -> None:
        async with client_of(await register()) as client:
            with self.assertRaises(Refused) as raised:
                await client.send("!nowhere:localhost", "hello")
            self.assertEqual(raised.exception.code, "NO_SUCH_ROOM")
            self.assertIn("no such room", raised.exception.message)
            self.assertEqual(str(raised.exception), f"NO_SUCH_ROOM: {raised.exception.message}")
            with self.assertRaises(ValueError):
                await client.act(SEND, {}, action_id=1, transaction_id="both")
            # The device counts on, and joins a room that it is in already.
            room = str((await client.act(CREATE_ROOM, {"name": "Nest"}))["room"]["roomId"])
            self.assertEqual((await client.join(room))["room"]["roomId"], room)

    async def test_join_that_other_servers_answer_late_is_done_when_it_returns_and_holds_nothing_up(self) -> None:
        other = asyncio.Event()
        asked: list[int] = []

        class Slow:
            """A server whose joins are pending until it gets another action."""

            wait = staticmethod(at_once)

            async def execute(self, _: str, variables: dict[str, Any]) -> dict[str, Any]:
                given = variables["input"]
                asked.append(given["actionId"])
                if "body" in given:
                    other.set()
                return {"any": {"isPending": "room" in given and not other.is_set(), "refusal": None}}

        actions = Actions(cast(Link, Slow()), 0)
        join, _ = await asyncio.gather(
            actions.settled(JOIN, {"room": {"alias": "#hall:two.example"}}), actions.numbered(SEND, {"body": "hello"})
        )
        self.assertFalse(join["isPending"])
        self.assertEqual(set(asked), {1, 2}, "the join keeps its number")
        self.assertGreaterEqual(asked.count(1), 2)
        self.assertEqual(asked.count(2), 1)


SEND = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { event { eventId } refusal { code message } } }"
