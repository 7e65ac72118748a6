"""The keys of the demo screen: which work when, and what each does to the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from studytool.errors import StudytoolError
from studytool.tui.work import work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studytool.demo.params import Value
    from studytool.tui.app import StudyApp
    from studytool.tui.demo_model import DemoModel
    from studytool.tui.ports import DemoSheet
    from studytool.tui.run_driver import RunDriver


class DemoKeys(Screen[None]):
    """The half of the demo screen that answers keys; the other half draws."""

    app: StudyApp
    AUTO_FOCUS = ""
    sheet: DemoSheet | None = None
    driver: RunDriver
    body = "results"
    status = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "params", "params", tooltip="change the parameters and run", id="demo.params"),
        Binding("r", "rerun", "rerun", tooltip="run again with the same parameters",
                id="demo.rerun"),
        Binding("c", "compare", "compare", tooltip="beside an earlier run", id="demo.compare"),
        Binding("e", "explore", "explore", tooltip="ask the finished run something",
                id="demo.explore"),
        Binding("l", "log", "log", tooltip="what the run wrote beside its results", id="demo.log"),
        Binding("s", "save", "save", tooltip="write events, report and plots to a folder",
                id="demo.save"),
        Binding("x", "cancel", "cancel", tooltip="stop the run", id="demo.cancel"),
        Binding("b,escape", "back", "back", id="demo.back"),
        Binding("down,j", "scroll(1)", "line down", show=False),
        Binding("up,k", "scroll(-1)", "line up", show=False),
        Binding("pagedown,space", "scroll(12)", "page down", show=False),
        Binding("pageup", "scroll(-12)", "page up", show=False),
    ]  # fmt: skip

    @property
    def model(self) -> DemoModel:
        return self.driver.model

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether this key does anything now; the key bar shows only those that do."""
        del parameters
        sheet = self.sheet
        if action in ("back", "scroll", "help"):
            return True
        if action not in ("params", "rerun", "compare", "explore", "log", "save", "cancel"):
            return True
        if sheet is None or not sheet.installed:
            return False
        running = self.model.running
        if action == "params":
            return bool(sheet.params)
        if action == "compare":
            return not running and bool(sheet.history or self.body == "compare")
        if action == "explore":
            return self.model.done is not None and bool(self.model.done.explore)
        return {"rerun": not running, "save": not running, "cancel": running}.get(action, True)

    def run_with(self, params: Mapping[str, Value]) -> None:
        """Begin a run with these parameters."""
        raise NotImplementedError

    def show_body(self, body: str) -> None:
        """Show the results, the log or the comparison."""
        raise NotImplementedError

    def tell_status(self, words: str) -> None:
        """Say in the title what was just done."""
        raise NotImplementedError

    def action_params(self) -> None:
        """Change the parameters; a run that is going on is stopped first."""
        from studytool.tui.screens.params import ParamsScreen

        sheet = self.sheet
        if sheet is None:
            return

        def chosen(values: dict[str, Value] | None) -> None:
            if values is not None:
                self.run_with(values)

        form = ParamsScreen(sheet.info.title, sheet.params, self.driver.params)
        self.app.push_screen(form, chosen)

    def action_rerun(self) -> None:
        self.run_with(self.driver.params)

    def action_cancel(self) -> None:
        work(self, self.driver.cancel, "cancel")

    def action_log(self) -> None:
        self.show_body("results" if self.body == "log" else "log")

    def action_compare(self) -> None:
        self.show_body("results" if self.body == "compare" else "compare")

    def action_explore(self) -> None:
        """Open the field for a request."""
        self.show_body("results")
        field = self.query_one("#explore")
        field.display = True
        field.focus()

    def action_save(self) -> None:
        work(self, self._save, "save", exclusive=True)

    async def _save(self) -> None:
        driver = self.driver
        self.tell_status("saving…")
        try:
            folder = await self.app.desk.save_report(
                driver.demo_id, driver.params, driver.model.history
            )
        except StudytoolError as fault:
            self.tell_status("")
            self.app.tell(fault)
            return
        self.tell_status(f"saved to {folder}")

    def action_scroll(self, by: int) -> None:
        self.query_one(f"#{self.body}").scroll_relative(y=by, animate=False)

    def action_back(self) -> None:
        """Close the field, the log or the comparison; from the results out, asking while it runs."""
        field = self.query_one("#explore")
        if field.display:
            field.display = False
            self.set_focus(None)
        elif self.body != "results":
            self.show_body("results")
        elif not self.model.running or self.sheet is None or not self.sheet.installed:
            self.leave()
        else:
            from studytool.tui.screens.confirm import ConfirmScreen

            def sure(yes: bool | None) -> None:
                if yes:
                    self.leave()

            question = "The demo is still running. Going back stops it."
            screen = ConfirmScreen(question, "stop it and go back", "keep watching")
            self.app.push_screen(screen, sure)

    def leave(self) -> None:
        """Close the screen; what still runs is stopped first."""
        work(self, self._leave, "leave")

    async def _leave(self) -> None:
        await self.driver.cancel()
        self.dismiss()
