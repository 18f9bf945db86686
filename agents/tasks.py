"""Work that must not stop halfway, and work that a signal ends."""

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, Final, TypeVar

T = TypeVar("T")
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work`` even while this task is being cancelled; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


def run_endable(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` for a program that SIGTERM and SIGHUP end: ``work`` is cancelled and unwinds.

    Raises ``SystemExit`` with 128 and the signal's number then. A signal that is ignored stays ignored.
    """
    received: list[int] = []

    async def main() -> T:
        this, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert this is not None

        def end(number: int, _frame: FrameType | None) -> None:
            if not received:  # a second one must not disturb the cleaning up
                loop.call_soon_threadsafe(this.cancel)
            received.append(number)

        before = {number: signal.getsignal(number) for number in _ENDING}
        heard = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
        for number in heard:
            signal.signal(number, end)
        try:
            return await work
        finally:
            for number, handler in heard.items():
                signal.signal(number, handler)

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if received:
            raise SystemExit(128 + received[0]) from None
        raise
