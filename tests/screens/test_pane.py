"""A pane draws its view, and a fault in drawing it stays in that pane."""

import logging
from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from screens.widgets.pane import Pane
from tests.support.watching import text_of


class Brittle(Pane[str]):
    def draw(self, view: str, width: int, height: int) -> Sequence[Content]:
        if "!" in view:
            raise OverflowError(f"no [/ place for {view}")
        return [Content(view)]


class Host(App[None]):
    CSS = "Pane { height: 3; }"

    def compose(self) -> ComposeResult:
        yield Brittle(id="one")
        yield Brittle(id="other")


async def test_a_pane_that_cannot_be_drawn_says_so_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async with Host().run_test(size=(60, 6)) as pilot:
        one, other = pilot.app.query(Brittle)
        with caplog.at_level(logging.ERROR):
            one.show("1e308!")
            other.show("as ever")
            for _ in range(3):
                one.refresh()
                await pilot.pause()
        shown = text_of(pilot)
        assert "cannot be shown: OverflowError: no [/ place for 1e308!" in shown
        assert "as ever" in shown
        assert len(caplog.records) == 1, "logged once, not at every repaint"
        one.show("0.5")
        await pilot.pause()
        assert "0.5" in text_of(pilot)
        assert "cannot be shown" not in text_of(pilot)
