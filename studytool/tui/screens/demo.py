"""A demo: guess first, watch it run, see what holds, turn the knobs, ask it more."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from studytool.errors import StudytoolError
from studytool.tui import compare, demo_text
from studytool.tui.demo_keys import DemoKeys
from studytool.tui.messages import RunChanged
from studytool.tui.run_driver import RunDriver
from studytool.tui.text import plain, plain_line
from studytool.tui.widgets.ask import Ask
from studytool.tui.widgets.curve_plot import CurvePlot
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage
from studytool.tui.widgets.panels import Panels
from studytool.tui.widgets.table_view import TableView
from studytool.tui.widgets.title_bar import TitleBar
from studytool.tui.widgets.verdicts import Verdicts
from studytool.tui.work import work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.timer import Timer

    from studytool.demo.params import Value
    from studytool.services.demo_history import PastRun
    from studytool.tui.demo_model import DemoModel

#: Seconds between two repaints while a run goes on, and between two drawings of the same plot.
FRAME = 0.06
PLOT_FRAME = 0.3
LOG_TAIL = 400
#: How long one turn of drawing may take before the rest waits, in seconds.
TURN = 0.008


class DemoScreen(DemoKeys):
    """One demo; its runs one after the other. `card` is where it was asked from."""

    DEFAULT_CSS = """
    DemoScreen VerticalScroll { padding: 0 1; }
    #about, #trouble, #figures { margin-bottom: 1; }
    #log, #compare { display: none; }
    #explore { display: none; border: none; height: 1; margin: 0 1; padding: 0 1;
      background: $cursor-ground; }
    #runs { height: auto; max-height: 8; border: none; background: $panel; margin-bottom: 1; }
    """

    def __init__(self, demo_id: str, params: Mapping[str, Value], *, card: str = "") -> None:
        super().__init__()
        self.demo_id = demo_id
        self.given = dict(params)
        self.card = card
        self._frame: Timer | None = None
        self._drawn_at: dict[str, float] = {}
        self._late: dict[str, None] = {}
        self._drawn_model: DemoModel | None = None

    def compose(self) -> ComposeResult:
        yield TitleBar()
        with VerticalScroll(id="results", can_focus=False):
            yield Passage(id="about")
            yield Vertical(id="asking")
            yield Passage(id="trouble")
            yield Verdicts()
            yield Panels()
            yield Passage(id="figures")
        with VerticalScroll(id="log", can_focus=False):
            yield Passage(id="log-text")
        with VerticalScroll(id="compare", can_focus=False):
            yield OptionList(id="runs")
            yield Vertical(id="beside")
        field = Input(id="explore", select_on_focus=False)
        field.cursor_blink = False
        yield field
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#asking").styles.height = "auto"
        self.query_one("#beside").styles.height = "auto"
        self.driver = RunDriver(
            self.app.desk, self.demo_id, self.card, self._changed, self.app.tell
        )
        for name in ("#about", "#trouble", "#figures"):
            self.query_one(name, Passage).show("")
        self.query_one(TitleBar).show(plain_line(self.demo_id, "bold"))
        self.set_interval(1.0, self._tick)
        work(self, self._begin, "begin")

    async def _begin(self) -> None:
        """Learn what the demo is, then run it, or say what is missing."""
        await self.app.ready.wait()
        try:
            self.sheet = await self.app.desk.demo(self.demo_id)
        except StudytoolError as fault:
            words = Content.assemble(
                ("✗ ", "bold $wrong"), plain(fault.message, "bold"), "\n", plain(fault.hint)
            )
            self.query_one("#about", Passage).show(words)
            return
        self._draw_title()
        if not self.sheet.installed:
            self.query_one("#about", Passage).show(demo_text.missing(self.sheet))
            self.refresh_bindings()
            return
        defaults = {param.name: param.default for param in self.sheet.params}
        self.run_with({**defaults, **self.given})

    def run_with(self, params: Mapping[str, Value]) -> None:
        self.show_body("results")
        self.query_one("#explore").display = False
        work(self, partial(self._run, params), "run")

    async def _run(self, params: Mapping[str, Value]) -> None:
        await self.driver.go(params)
        await self._reload_history()

    async def _reload_history(self) -> None:
        try:
            self.sheet = await self.app.desk.demo(self.demo_id)
        except StudytoolError as fault:
            self.app.tell(fault)
        self.refresh_bindings()

    async def on_unmount(self) -> None:
        """However the screen ends, nothing goes on running."""
        await self.driver.cancel()

    # Drawing, at most every FRAME seconds

    def _changed(self) -> None:
        if self._frame is None and self.is_attached:
            self._frame = self.set_timer(FRAME, self._due)

    def _due(self) -> None:
        self._frame = None
        self.post_message(RunChanged())

    def on_run_changed(self, message: RunChanged) -> None:
        message.stop()
        model = self.model
        if model is not self._drawn_model:
            self._drawn_model = model
            self._late.clear()
            self.query_one(Panels).clear()
            for name in ("#trouble", "#figures"):
                self.query_one(name, Passage).show("")
            self.query_one("#asking").remove_children()
            self.query_one(Verdicts).show(model)
        self._draw_some(model)
        if self._late:
            self._changed()

    def _draw_some(self, model: DemoModel) -> None:
        """Draw what has changed, for as long as one turn may take; the rest has the next one."""
        keys = list(dict.fromkeys([*self._late, *model.take_dirty()]))
        self._late.clear()
        began = time.perf_counter()
        for at, key in enumerate(keys):
            if time.perf_counter() - began > TURN:
                self._late.update(dict.fromkeys(keys[at:]))
                return
            self._draw(key, model)

    def _draw(self, key: str, model: DemoModel) -> None:
        match key:
            case "head":
                self._draw_title()
            case "ask":
                self._draw_question(model)
            case "verdicts":
                self.query_one(Verdicts).show(model)
            case "notes" | "metrics":
                self.query_one("#figures", Passage).show(demo_text.figures(model))
            case "log":
                if self.body == "log":
                    self._draw_log()
            case "end" | "explore":
                self._draw_end(model)
            case _:
                self._draw_panel(key, model)

    def _draw_panel(self, key: str, model: DemoModel) -> None:
        """A plot that was drawn a moment ago waits for its turn, unless the run is over."""
        panels = self.query_one(Panels)
        if isinstance(panels.shown.get(key), CurvePlot) and model.running:
            now = time.perf_counter()
            if now - self._drawn_at.get(key, -PLOT_FRAME) < PLOT_FRAME:
                self._late[key] = None
                return
            self._drawn_at[key] = now
        panels.show(key, model.panels[key])

    def _draw_title(self) -> None:
        title = self.sheet.info.title if self.sheet is not None else self.demo_id
        seed = self.driver.params.get("seed")
        right = Content("")
        if self.sheet is None or self.sheet.installed:
            right = demo_text.standing(self.model, self.driver.seconds, seed)
        if self.status:
            right = plain_line(self.status, "$right")
        self.query_one(TitleBar).show(plain_line(title, "bold"), right)

    def _tick(self) -> None:
        if self.model.running and self.sheet is not None:
            self._draw_title()

    def tell_status(self, words: str) -> None:
        self.status = words
        self._draw_title()

    def _draw_question(self, model: DemoModel) -> None:
        place, asking = self.query_one("#asking"), model.asking
        there = self.query(Ask)
        if asking is not None and there and there.first().prediction.id == asking.prediction.id:
            return
        place.remove_children()
        if asking is not None:
            place.mount(Ask(asking.prediction))
            self.query_one("#results").scroll_home(animate=False)
        elif there:
            self.set_focus(None)
        self.query_one(Verdicts).show(model)

    def _draw_log(self) -> None:
        lines = self.model.log[-LOG_TAIL:]
        words = plain("\n".join(lines)) if lines else Content.styled("Nothing yet.", "$muted")
        self.query_one("#log-text", Passage).show(words)
        self.query_one("#log").scroll_end(animate=False)

    def _draw_end(self, model: DemoModel) -> None:
        self.status = ""
        self._draw_title()
        self.query_one("#trouble", Passage).show(demo_text.trouble(model))
        if model.done is not None:
            field = self.query_one("#explore", Input)
            field.placeholder = model.done.explore
        self.refresh_bindings()

    # Log, comparison, explore

    def show_body(self, body: str) -> None:
        self.body = body
        for name in ("results", "log", "compare"):
            self.query_one(f"#{name}").display = name == body
        if body == "log":
            self._draw_log()
        elif body == "compare":
            self._draw_runs()
        else:
            self.set_focus(None)
        self.refresh_bindings()

    def _draw_runs(self) -> None:
        sheet = self.sheet
        if sheet is None:
            return
        defaults = {param.name: param.default for param in sheet.params}
        runs = self.query_one("#runs", OptionList)
        runs.clear_options()
        for run in self._others():
            runs.add_option(Option(plain(compare.run_line(run, defaults)), id=str(run.id)))
        self.query_one("#beside").remove_children()
        if runs.option_count:
            runs.highlighted = 0
            runs.focus()

    def _others(self) -> list[PastRun]:
        """The earlier runs: all but the one on the screen."""
        if self.sheet is None:
            return []
        return [run for run in self.sheet.history if run.id != self.driver.stored]

    async def on_option_list_option_highlighted(
        self, message: OptionList.OptionHighlighted
    ) -> None:
        """Show the run under the cursor beside the one on the screen."""
        message.stop()
        others = self._others()
        if message.option_index < len(others):
            table = compare.table(self.driver.params, self.model, others[message.option_index])
            place = self.query_one("#beside")
            await place.remove_children()
            await place.mount(TableView(table))

    def on_ask_answered(self, message: Ask.Answered) -> None:
        message.stop()
        work(self, partial(self.driver.answer, message.prediction, message.value), "answer")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """A request to explore."""
        if message.input.id != "explore":
            return
        message.stop()
        request = message.value.strip()
        if request:
            work(self, partial(self._explore, request), "explore")

    async def _explore(self, request: str) -> None:
        self.tell_status("asking…")
        await self.driver.explore(request)
        self.tell_status("")
        self.query_one("#results").scroll_end(animate=False)
