"""The metrics chart: scores by iteration, or the curve of the training that runs."""

from collections.abc import Sequence

from rich.text import Text
from textual.content import Content

from screens.charts import Chart, draw_chart, legend
from screens.plain import one_line
from screens.widgets.pane import Pane, set_border


class MetricsChart(Pane[Chart | None]):
    """One line of legend and the chart below it."""

    def on_mount(self) -> None:
        set_border(self, Content("Metric"))
        self.add_class("-empty")

    def heading(self, view: Chart | None) -> Content | None:
        return Content(one_line(view.title)) if view else Content("Metric")

    def has_nothing(self, view: Chart | None) -> bool:
        return view is None

    def render(self) -> Content:
        if self._view is None:
            return Content.styled("The chart begins with the first score or training report.", "$text-muted")
        return super().render()

    def draw(self, view: Chart | None, width: int, height: int) -> Sequence[Content]:
        assert view is not None
        drawn = Content.from_rich_text(Text.from_ansi(draw_chart(view, width, height - 1)))
        return [_legend(view), *drawn.split("\n", allow_blank=True)]


def _legend(view: Chart) -> Content:
    entries = legend(view)
    marks = Text("   ").join(
        Text.assemble((marker, f"color({color})"), f" {one_line(name)}") for marker, color, name in entries
    )
    return Content.from_rich_text(marks)
