"""How a client begins, and how it ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from people import PASSWORD, URL, at_once, create_room, register, texts
from rookery import ConnectionLost, LoggedOut, Refused, RookeryError, UnexpectedAnswer, connect


class Connecting(unittest.IsolatedAsyncioTestCase):
    async def test_url_may_have_every_form_that_users_write(self) -> None:
        name = await register()
        for url in (URL, f"{URL}/", f"{URL}/graphql", f"{URL.replace('http', 'ws')}/graphql/"):
            client = await connect(url, username=name, password=PASSWORD)
            self.assertEqual(client.user_id, f"@{name}:localhost")
            await client.log_out()
        for url in ("chat.example.org", "ftp://chat.example.org", "https://", ""):
            with self.assertRaises(ValueError):
                connect(url, token="rk_1")

    async def test_token_or_password_is_needed_and_has_to_be_right(self) -> None:
        name = await register()
        for login in ({}, {"username": name}, {"token": "rk_1", "username": name, "password": PASSWORD}):
            with self.assertRaises(ValueError):
                connect(URL, **login)  # type: ignore[arg-type]
        await self.fails("WRONG_CREDENTIALS", Refused, username=name, password="wrong")
        await self.fails("UNAUTHENTICATED", LoggedOut, token="rk_wrong")
        client = await connect(URL, username=name, password=PASSWORD)
        await self.fails("FORBIDDEN", LoggedOut, token=client.token, act_as="@somebody:localhost")
        await client.close()

    async def fails(self, code: str, kind: type[RookeryError], **options: str) -> None:
        with self.assertRaises(kind) as raised:
            await connect(URL, **options)  # type: ignore[arg-type]
        self.assertEqual(raised.exception.code, code)

    async def test_server_that_is_away_is_named_after_a_while(self) -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with self.assertRaises(ConnectionLost) as lost:
            await connect(url, token="rk_1", connect_seconds=0.5)
        self.assertIn(url.replace("http", "ws"), lost.exception.message)
        server.close()
        await server.wait_closed()

    async def test_another_program_at_the_url_is_named_at_once(self) -> None:
        async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            writer.close()

        server = await asyncio.start_server(page, "127.0.0.1", 0)
        with self.assertRaises(UnexpectedAnswer) as raised:
            await connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", token="rk_1")
        self.assertIn("status 200", raised.exception.message)
        server.close()
        await server.wait_closed()

    async def test_closed_client_says_so(self) -> None:
        client = await connect(URL, username=await register(), password=PASSWORD)
        await client.close()
        with self.assertRaises(ConnectionLost) as raised:
            await client.query("{ server { name } }")
        self.assertEqual(raised.exception.code, "CLIENT_CLOSED")

    async def test_service_acts_as_its_users(self) -> None:
        def add(folder: str) -> str:
            file = Path(folder) / "tea.toml"
            file.write_text('name = "tea"\n\n[[users]]\nregex = "@_tea_.*:localhost"\nexclusive = true\n')
            command = [os.environ["ROOKERY"], "service", "add", str(file), "--data", os.environ["SERVER_DATA"]]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]

        with tempfile.TemporaryDirectory() as folder:
            token = await asyncio.to_thread(add, folder)
        ensure = "mutation($input: EnsureUserInput!) { ensureUser(input: $input) { user { userId } refusal { code message } } }"
        async with connect(URL, token=token, wait=at_once) as bot:
            self.assertEqual(bot.user_id, "@tea:localhost")
            await bot.query(ensure, {"input": {"localpart": "_tea_bob"}})
        async with connect(URL, token=token, act_as="@_tea_bob:localhost", wait=at_once) as bob:
            self.assertEqual(bob.user_id, "@_tea_bob:localhost")
            room = await create_room(bob)
            await bob.send(room, "hello")
            self.assertEqual((await texts(bob, room), bob.last_action_id), (["hello"], 2))
