"""The keys of the review screen: which work when, and what each does to the session."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from studytool.deck.model import Kind
from studytool.schedule.model import Rating
from studytool.tui.card_parts import hidden_sections
from studytool.tui.widgets.card_sheet import CardSheet
from studytool.tui.work import work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from studytool.tui.app import StudyApp
    from studytool.tui.review_driver import Driver
    from studytool.tui.review_state import Table

#: Actions that need the answer on the table, those that need it hidden, those that need a card.
AFTER = frozenset({"rate", "accept", "follow", "more", "points", "page"})
BEFORE = frozenset({"reveal", "type"})
WITH_CARD = frozenset({"demo", "edit", "suspend", "bury", "note", "flag", "reset", "scroll"})
ON_A_SIDE = AFTER | BEFORE
NEEDS_CARD = ON_A_SIDE | WITH_CARD


class ReviewKeys(Screen[None]):
    """The half of the review screen that answers keys; the other half draws."""

    app: StudyApp
    AUTO_FOCUS = ""
    driver: Driver | None = None

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "reveal", "reveal", tooltip="show the answer", id="review.reveal"),
        Binding("t", "type", "type", tooltip="type an answer", id="review.type"),
        *(
            Binding(str(int(rating)), f"rate({int(rating)})", f"rate {rating.name.lower()}",
                    show=False, id=f"review.{rating.name.lower()}")
            for rating in Rating
        ),
        Binding("enter", "accept", "accept ▸", tooltip="take the suggested rating, marked ▸",
                id="review.accept"),
        Binding("tab", "points", "points", tooltip="go to the key points; x ticks one",
                id="review.points"),
        Binding("x", "tick", "tick", tooltip="tick the line at the cursor", id="review.tick"),
        Binding("u", "undo", "undo", tooltip="take the last answer back", id="review.undo"),
        Binding("d", "demo", "demo", tooltip="run the card's demo", id="review.demo"),
        Binding("m", "more", "more", tooltip="show what is folded away", id="review.more"),
        Binding("f", "follow", "follow-up", tooltip="go on with a follow-up", id="review.follow"),
        Binding("e", "edit", "edit", tooltip="edit the card in your editor", id="review.edit"),
        Binding("s", "suspend", "suspend", tooltip="never ask this card again", id="review.suspend"),
        Binding("b", "bury", "bury", tooltip="not today any more", id="review.bury"),
        Binding("n", "note", "note", tooltip="write a note of your own", id="review.note"),
        Binding("exclamation_mark", "flag", "flag", tooltip="flag or unflag the card",
                id="review.flag"),
        Binding("r", "reset", "reset", show=False, tooltip="forget this card's memory",
                id="review.reset"),
        Binding("space", "page", "page down", show=False),
        Binding("down,j", "scroll(1)", "line down", show=False),
        Binding("up,k", "scroll(-1)", "line up", show=False),
        Binding("pagedown", "scroll(12)", "page down", show=False),
        Binding("pageup", "scroll(-12)", "page up", show=False),
        Binding("escape", "back", "back", id="review.back"),
    ]  # fmt: skip

    @property
    def table(self) -> Table | None:
        """The card in hand."""
        return self.driver.table if self.driver is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether this key does anything now; the key bar shows only those that do."""
        del parameters
        table = self.table
        if action in NEEDS_CARD and table is None:
            return False
        if action in ON_A_SIDE and table is not None:
            return table.revealed == (action in AFTER) and self._makes_sense(action, table)
        if action == "demo" and table is not None:
            return bool(table.sheet.demo_title)
        if action == "tick":
            active = self.sheet.active if table is not None else None
            return active is not None and not active.frozen
        if action == "undo":
            return self.driver is not None and self.driver.sitting is not None
        return True

    def _makes_sense(self, action: str, table: Table) -> bool:
        card = table.sheet.question.card
        if action == "type":
            return table.kind is not Kind.CHOICE
        if action == "accept":
            return table.suggested is not None
        if action == "follow":
            return bool(table.sheet.follow_ups)
        if action == "points":
            return bool(card.key_points) and "points" in self.opened(table)
        if action == "more":
            return bool(hidden_sections(table.sheet, self.opened(table)))
        return True

    def opened(self, table: Table) -> set[str]:
        """The sections of the answer that are open: by the settings and by m."""
        judged = {"points"} if table.graded is not None else set()
        return {*self.app.desk.settings.ui.reveal, *table.opened, *judged}

    def open_box(self, table: Table) -> None:
        """Open the field for a typed answer."""
        raise NotImplementedError

    def _work(self, call: Callable[[], Awaitable[None]]) -> None:
        work(self, call, "session")

    def action_reveal(self) -> None:
        if self.driver is not None:
            self.driver.reveal()

    def action_rate(self, rating: int) -> None:
        if self.driver is not None:
            self._work(partial(self.driver.rate, Rating(rating)))

    def action_accept(self) -> None:
        if self.table is not None and self.table.suggested is not None:
            self.action_rate(int(self.table.suggested))

    def action_type(self) -> None:
        if self.table is not None:
            self.open_box(self.table)

    @property
    def sheet(self) -> CardSheet:
        """Where the card is drawn."""
        return self.query_one(CardSheet)

    def action_points(self) -> None:
        """Give the key points the arrow keys, or take them away again."""
        active = self.sheet.active
        self.sheet.activate("points" if active is None else None)
        self.refresh_bindings()

    def action_tick(self) -> None:
        """Tick, and draw at once what follows from it, so that all of it is painted together."""
        ticks = self.sheet.tick()
        if ticks is not None:
            self._ticked(ticks.name, ticks.ticked)

    def action_more(self) -> None:
        """Open every section of the answer."""
        if self.table is not None and self.driver is not None:
            self.table.opened.update(hidden_sections(self.table.sheet, self.opened(self.table)))
            self.driver.show()

    def on_card_sheet_ticked(self, message: CardSheet.Ticked) -> None:
        message.stop()
        self._ticked(message.name, message.ticked)

    def _ticked(self, name: str, ticked: Collection[int]) -> None:
        table = self.table
        if table is None:
            return
        if name == "options":
            table.chosen = set(ticked)
        else:
            table.tick(ticked)
        self.suggestion_changed(table)

    def suggestion_changed(self, table: Table) -> None:
        """Draw the suggested rating again."""
        raise NotImplementedError

    def action_undo(self) -> None:
        if self.driver is not None:
            self._work(self.driver.undo)

    def action_suspend(self) -> None:
        if self.driver is not None:
            self._work(
                partial(
                    self.driver.change, lambda sitting: sitting.suspend(), "suspended; u undoes"
                )
            )

    def action_bury(self) -> None:
        if self.driver is not None:
            words = "buried until tomorrow; u undoes"
            self._work(partial(self.driver.change, lambda sitting: sitting.bury(), words))

    def action_flag(self) -> None:
        if self.driver is not None and self.table is not None:
            flag = 0 if self.table.sheet.question.state.flag else 1
            self._work(partial(self.driver.change, lambda sitting: sitting.flag(flag), ""))

    def action_note(self) -> None:
        """Write or change the user's own note."""
        from studytool.tui.screens.note import NoteScreen

        driver, table = self.driver, self.table
        if driver is None or table is None:
            return

        def keep(text: str | None) -> None:
            if text is not None:
                self._work(partial(driver.change, lambda sitting: sitting.note(text), "note kept"))

        self.app.push_screen(NoteScreen(table.sheet.question.state.note), keep)

    def action_reset(self) -> None:
        """Forget the card's memory, after asking."""
        from studytool.tui.screens.confirm import ConfirmScreen

        driver, table = self.driver, self.table
        if driver is None or table is None:
            return

        def sure(yes: bool | None) -> None:
            if yes:
                self._work(
                    partial(driver.change, lambda sitting: sitting.reset(), "reset; u undoes")
                )

        card_id = table.sheet.question.card_id
        question = f"Forget everything learned about {card_id}? The card becomes new again."
        self.app.push_screen(ConfirmScreen(question, "forget it"), sure)

    def action_follow(self) -> None:
        """Go on with a follow-up; ask which when there are several."""
        driver, table = self.driver, self.table
        if driver is None or table is None:
            return
        follow_ups = table.sheet.follow_ups
        if len(follow_ups) == 1:
            self._work(partial(driver.follow, follow_ups[0][0]))
            return
        from studytool.tui.screens.pick import PickScreen

        def chosen(at: int | None) -> None:
            if at is not None:
                self._work(partial(driver.follow, follow_ups[at][0]))

        titles = [text for _, text in follow_ups]
        self.app.push_screen(PickScreen("Go on with", titles), chosen)

    def action_demo(self) -> None:
        """Run the card's demo with the card's parameters; the card waits as it is."""
        table = self.table
        if table is not None and table.sheet.question.card.demo is not None:
            card = table.sheet.question.card
            self.app.open_demo(str(card.demo), card.params, card=str(card.id))

    def action_edit(self) -> None:
        """Open the card in the editor, then read the deck again and show the new text."""
        from studytool.tui.editor import edit

        driver, table = self.driver, self.table
        if driver is None or table is None:
            return
        question = table.sheet.question
        if edit(self.app, self.app.desk.place(question), question.line):
            self._work(partial(driver.change, lambda sitting: sitting.refresh(), "deck read again"))

    def action_scroll(self, by: int) -> None:
        if abs(by) == 1:
            self.sheet.move(by)
        else:
            self.sheet.scroll_relative(y=by, animate=False)

    def action_page(self) -> None:
        self.sheet.scroll_page_down(animate=False)

    def action_back(self) -> None:
        """Leave; everything answered is saved already."""
        self.leave()

    def leave(self) -> None:
        """Close the screen."""
        raise NotImplementedError
