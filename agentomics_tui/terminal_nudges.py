"""Calling a person who looks elsewhere: the terminal's bell, its notification, or the desktop's.

Notifications of terminals are escape sequences that those which do not know them pass over: OSC 9 (iTerm2, WezTerm,
Ghostty, kitty) and OSC 777 (rxvt-unicode, foot). They travel over SSH. ``notify-send`` does not; it is used where the
screen and the desktop are on one machine and the terminal is none of these.
"""

import shutil
import subprocess
from collections.abc import Mapping
from html import escape
from typing import Final

from agentomics_tui.user_settings import Nudge
from agents.nudges import News
from screens.plain import one_line

TITLE: Final = "agentomics"
_BEL: Final = "\a"
_LONGEST: Final = 200
_SEND_SECONDS: Final = 5.0
_BETWEEN: Final[dict[News, float]] = {"best": 60.0}
_LEAST: Final = 5.0
"""Seconds between two calls for the same kind of news."""
_NINE: Final = ("iterm", "wezterm", "ghostty", "kitty", "warp")
_SEVEN: Final = ("rxvt", "foot")


class Pacing:
    """Lets no kind of news call too often."""

    def __init__(self) -> None:
        self._last: dict[News, float] = {}

    def allows(self, news: News, now: float) -> bool:
        """Whether ``news`` may call at ``now``, in seconds; it then counts as told."""
        if now - self._last.get(news, -1e9) < _BETWEEN.get(news, _LEAST):
            return False
        self._last[news] = now
        return True


def sequence(text: str, nudge: Nudge, environ: Mapping[str, str]) -> str:
    """What is written to the terminal to call for ``text``; nothing of ``text`` can end the sequence early."""
    if nudge == "off":
        return ""
    if nudge == "bell" or environ.get("TERM", "") in {"", "dumb", "linux"} or wants_desktop(environ):
        return _BEL
    words = one_line(text)[:_LONGEST]
    osc = f"777;notify;{TITLE};{words.replace(';', ',')}" if _is_one_of(_SEVEN, environ) else f"9;{TITLE}: {words}"
    return _BEL + _through_multiplexer(f"\x1b]{osc}{_BEL}", environ)


def wants_desktop(environ: Mapping[str, str]) -> bool:
    """Whether the desktop tells it better than the terminal."""
    has_desktop = bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    if not has_desktop or environ.get("SSH_CONNECTION") or _is_one_of((*_NINE, *_SEVEN), environ):
        return False
    return shutil.which("notify-send", path=environ.get("PATH")) is not None


def tell_desktop(text: str) -> None:
    """Show a notification of the desktop; waits for it, so call it from a thread. A failure is silent."""
    body = escape(one_line(text)[:_LONGEST], quote=False)
    try:
        subprocess.run(
            ["notify-send", f"--app-name={TITLE}", "--", TITLE, body],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SEND_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return


def _is_one_of(names: tuple[str, ...], environ: Mapping[str, str]) -> bool:
    terminal = f"{environ.get('TERM_PROGRAM', '')} {environ.get('TERM', '')}".lower()
    return any(name in terminal for name in names)


def _through_multiplexer(osc: str, environ: Mapping[str, str]) -> str:
    """A sequence that tmux (with ``allow-passthrough``) and GNU screen hand on to the terminal they run in."""
    if environ.get("TMUX"):
        inner = osc.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{inner}\x1b\\"
    return f"\x1bP{osc}\x1b\\" if environ.get("STY") else osc
