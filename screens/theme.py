"""Colours of the screens. Every one is exactly in the 256-colour palette, which is what most SSH links give."""

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="agentomics-dark",
    primary="#5fafff",
    secondary="#87afd7",
    accent="#5fafff",
    success="#5fd7d7",
    warning="#ffd75f",
    error="#ff8700",
    foreground="#e4e4e4",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    variables={
        "text-muted": "#8a8a8a",
        "border": "#5fafff",
        "border-blurred": "#444444",
        "footer-key-foreground": "#5fafff",
        "block-cursor-background": "#005f87",
        "scrollbar": "#444444",
        "scrollbar-hover": "#585858",
        "scrollbar-active": "#5fafff",
        "scrollbar-background": "#1c1c1c",
        "scrollbar-background-hover": "#1c1c1c",
        "scrollbar-background-active": "#1c1c1c",
    },
)

LIGHT: Final = Theme(
    name="agentomics-light",
    primary="#005faf",
    secondary="#5f87af",
    accent="#005faf",
    success="#008787",
    warning="#875f00",
    error="#af5f00",
    foreground="#1c1c1c",
    background="#ffffff",
    surface="#eeeeee",
    panel="#e4e4e4",
    dark=False,
    variables={
        "text-muted": "#6c6c6c",
        "border": "#005faf",
        "border-blurred": "#bcbcbc",
        "footer-key-foreground": "#005faf",
        "block-cursor-background": "#afd7ff",
        "scrollbar": "#bcbcbc",
        "scrollbar-hover": "#9e9e9e",
        "scrollbar-active": "#005faf",
        "scrollbar-background": "#eeeeee",
        "scrollbar-background-hover": "#eeeeee",
        "scrollbar-background-active": "#eeeeee",
    },
)
