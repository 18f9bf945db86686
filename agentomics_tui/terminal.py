"""Ending with the terminal: a screen that nobody can see any more must not go on."""

import os
import select
import signal
import sys
import threading
from contextlib import suppress


def end_with_terminal() -> None:
    """From now on end this process when its terminal goes, also where SIGHUP was ignored or reaches somebody else.

    ``nohup`` and some launchers leave SIGHUP ignored, and a program in a session of its own never gets one; reading
    the dead terminal returns at once, for ever. The run is another process and goes on.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with suppress(OSError, ValueError):
        if sys.stdin.isatty():
            watcher = threading.Thread(target=_end_at_hang_up, args=(sys.stdin.fileno(),), name="terminal", daemon=True)
            watcher.start()


def _end_at_hang_up(terminal: int) -> None:
    poll = select.poll()
    poll.register(terminal, 0)  # a hang-up is always reported; nothing else wakes this thread
    if any(event & select.POLLHUP for _, event in poll.poll()):
        os.kill(os.getpid(), signal.SIGHUP)
