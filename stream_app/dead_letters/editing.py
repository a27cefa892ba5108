"""A command of the operator's own that mends a value: bytes in on standard input, bytes out on standard output."""

from __future__ import annotations

import asyncio
import shlex

from stream_app.dead_letters.replaying import Edit, EditError

SECONDS = 30.0


def edit_with(command: str, seconds: float = SECONDS) -> Edit:
    """Runs the command (without a shell) once for every value. Raises ``ValueError`` for a command line that cannot be read."""
    words = shlex.split(command)
    if not words:
        raise ValueError("the command is empty")

    async def edit(value: bytes) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        except OSError as error:
            raise EditError(f"the editing command cannot be started: {error.strerror}") from error
        try:
            mended, _ = await asyncio.wait_for(process.communicate(value), seconds)
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise EditError(f"the editing command took more than {seconds:.0f} s") from error
        if process.returncode:
            raise EditError(f"the editing command ended with {process.returncode}")
        return mended

    return edit
