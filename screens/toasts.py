"""Toasts: what is said in passing, few at a time, since on a small screen they lie over what is being watched."""

from typing import Final

from textual.app import App
from textual.notifications import Notification, Notify, SeverityLevel

MOST: Final = 2
"""Toasts that may stand at the same time."""
_SECONDS: Final = 5.0


def toast(app: App[str], text: str, severity: SeverityLevel, instead_of: Notification | None = None) -> Notification:
    """Show ``text``, never as markup, and take the toast back that says less: ``instead_of``."""
    if instead_of is not None:
        app._unnotify(instead_of, refresh=False)
    notification = Notification(text, severity=severity, timeout=_SECONDS, markup=False)
    app.post_message(Notify(notification))
    return notification


def make_room(app: App[str], coming: Notification) -> None:
    """Take back what ``coming`` says again, and the oldest toasts that would be too many beside it."""
    shown = list(app._notifications)
    news = [one for one in shown if one.message != coming.message]
    kept = news[1 - MOST :]
    for one in shown:
        if one not in kept:
            app._unnotify(one, refresh=False)
