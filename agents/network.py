"""Whether processes wait for something that is elsewhere: what they have of TCP connections."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Final

import psutil

_OPEN: Final = frozenset({psutil.CONN_ESTABLISHED, psutil.CONN_SYN_SENT})
"""Connected, or connecting; one that is closed or that listens waits for nobody."""
_Connection = tuple[tuple[object, ...], tuple[object, ...]]


def is_connected(pids: Iterable[int]) -> bool:
    """Whether one of the processes has a TCP connection to somebody who is none of them.

    Among themselves (a pool of workers, say) they wait for each other, and nobody else keeps them.
    """
    ends = {end for pid in pids for end in _connections(pid)}
    return any((there, here) not in ends for here, there in ends)


def _connections(pid: int) -> Iterator[_Connection]:
    """This side and the other side of each; none of a process that is gone or belongs to another user."""
    with contextlib.suppress(psutil.Error, OSError):
        for one in psutil.Process(pid).net_connections("tcp"):
            if one.status in _OPEN and one.raddr:
                yield tuple(one.laddr), tuple(one.raddr)
