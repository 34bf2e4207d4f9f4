"""Runs the programs of the README."""

from __future__ import annotations

import asyncio
import re
import textwrap
import unittest
from pathlib import Path
from typing import Any

from people import PASSWORD, URL, client_of, create_room, register

README = Path(__file__).parent.parent / "README.md"


class Readme(unittest.IsolatedAsyncioTestCase):
    async def test_programs_of_the_readme_run(self) -> None:
        name = await register()
        programs = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        self.assertEqual(len(programs), 2)
        async with client_of(name) as client:
            room = await create_room(client)
            await client.send(room, "hello")
            for program in programs:
                shown: list[Any] = []
                world = {"url": URL, "username": name, "password": PASSWORD, "room_id": room}
                body = textwrap.indent(program, "    ")
                source = f"async def program({', '.join(world)}, show):\n{body}"
                scope: dict[str, Any] = {}
                exec(compile(source, str(README), "exec"), scope)

                def show(*items: Any) -> None:
                    shown.extend(items)
                    if "hello" in items:
                        raise EOFError

                try:
                    await asyncio.wait_for(scope["program"](**world, show=show), 60)
                except EOFError:
                    pass
                self.assertTrue(shown)
