"""Calls as lines of JSON on standard input, and their answers as lines on standard output: see process.mjs."""

import asyncio
import json
import sys


def say(**answer):
    print(json.dumps(answer), flush=True)


def causes(error):
    """An error and the errors behind it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def answer(call, run, subscribe, code_of):
    try:
        if call["do"] == "run":
            return say(id=call["id"], data=await run(call))
        async for data in subscribe(call):
            say(id=call["id"], next=data)
        say(id=call["id"], data=None)
    except Exception as error:  # the conversation judges every error
        say(id=call["id"], error={"message": f"{type(error).__name__}: {error}", "code": code_of(error)})


async def serve(run, subscribe, code_of):
    """Answers calls with `run`, a coroutine, and `subscribe`, an asynchronous generator."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        task = asyncio.create_task(answer(json.loads(line), run, subscribe, code_of))
        running.add(task)
        task.add_done_callback(running.discard)
