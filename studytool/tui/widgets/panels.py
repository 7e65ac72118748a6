"""The panels of a demo in two columns: plots and maps left, tables, texts and pictures right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container, Vertical

from studytool.demo import events as ev
from studytool.tui.demo_model import Curve
from studytool.tui.plots import Trace
from studytool.tui.widgets.curve_plot import CurvePlot
from studytool.tui.widgets.graph_view import GraphView
from studytool.tui.widgets.heat_map import HeatMap
from studytool.tui.widgets.picture_view import PictureView
from studytool.tui.widgets.table_view import TableView
from studytool.tui.widgets.text_view import TextView

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from studytool.tui.demo_model import Panel

#: Panels of one run; what a demo shows beyond that is in its log and its saved report.
MAX_PANELS = 60
LEFT = (Curve, ev.Series, ev.Matrix)


def make(panel: Panel) -> Widget:
    """The widget for a panel, showing it."""
    match panel:
        case Curve() | ev.Series():
            plot = CurvePlot(panel.name if isinstance(panel, Curve) else panel.title)
            update(plot, panel)
            return plot
        case ev.Table():
            return TableView(panel)
        case ev.Matrix():
            return HeatMap(panel)
        case ev.Text():
            return TextView(panel)
        case ev.Graph():
            return GraphView(panel)
        case ev.Image():
            return PictureView(panel)


def update(widget: Widget, panel: Panel) -> None:
    """Show a newer state of the same panel."""
    match widget, panel:
        case CurvePlot(), Curve():
            x, y = panel.points()
            widget.show([Trace(panel.name, x, y)], labels=(panel.unit, ""))
        case CurvePlot(), ev.Series():
            traces = [Trace(line.name, line.x, line.y) for line in panel.lines]
            widget.show(traces, levels=panel.levels, labels=(panel.x_label, panel.y_label))
        case TableView(), ev.Table():
            widget.show(panel)
        case HeatMap(), ev.Matrix():
            widget.show(panel)
        case TextView(), ev.Text():
            widget.show(panel)
        case GraphView(), ev.Graph():
            widget.show(panel)
        case PictureView(), ev.Image():
            widget.show(panel)


class Panels(Container):
    """Two columns side by side when there is room and both have something, else one below the other."""

    DEFAULT_CSS = """
    Panels { height: auto; layout: vertical; }
    Panels > Vertical { height: auto; width: 1fr; }
    Panels.beside { layout: horizontal; }
    Panels.beside > #right { margin-left: 2; }
    """

    #: From this width on the columns stand side by side.
    WIDE = 76

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, Widget] = {}

    def compose(self) -> ComposeResult:
        yield Vertical(id="left")
        yield Vertical(id="right")

    def show(self, key: str, panel: Panel) -> None:
        """Draw a panel, in a place of its own the first time."""
        widget = self.shown.get(key)
        if widget is not None:
            update(widget, panel)
        elif len(self.shown) < MAX_PANELS:
            self.shown[key] = widget = make(panel)
            column = "#left" if isinstance(panel, LEFT) else "#right"
            self.query_one(column).mount(widget)
            self.arrange_columns()

    def clear(self) -> None:
        """Take all panels away, for another run."""
        self.shown.clear()
        for column in ("#left", "#right"):
            self.query_one(column).remove_children()
        self.arrange_columns()

    def arrange_columns(self) -> None:
        """Side by side or stacked, by the width and by what there is."""
        left = any(isinstance(widget, CurvePlot | HeatMap) for widget in self.shown.values())
        right = any(not isinstance(widget, CurvePlot | HeatMap) for widget in self.shown.values())
        self.query_one("#left").display = left
        self.query_one("#right").display = right
        self.set_class(left and right and self.size.width >= self.WIDE, "beside")

    def on_resize(self) -> None:
        self.arrange_columns()
