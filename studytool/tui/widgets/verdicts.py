"""What a run has shown: each guess beside its outcome, each claim with its verdict, what to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studytool.tui.text import hang, number, plain, plain_line
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from studytool.demo.events import Claim
    from studytool.tui.demo_model import DemoModel, Guess

FALSE_HERE = "(commonly taught; false here)"


def claim_lines(claim: Claim, width: int) -> list[Content]:
    """A claim with its verdict: a sign, the statement, the measured value against the bound.

    Colour says whether the demo found what it stands for; the sign whether the claim is true.
    """
    sign = "✓ " if claim.holds else "✗ "
    colour = "$right" if claim.as_expected else "$wrong"
    unit = f" {claim.unit}" if claim.unit else ""
    sign_of = {"<=": "≤", ">=": "≥", "==": "="}.get(claim.op, claim.op)
    figures = f"{number(claim.value)}{unit} {sign_of} {number(claim.bound)}{unit}"
    if not claim.holds:
        figures = f"{number(claim.value)}{unit}, claimed {sign_of} {number(claim.bound)}{unit}"
    parts = [plain_line(claim.text), Content("   "), Content.styled(figures, "$muted")]
    if claim.expect == "refuted":
        word = FALSE_HERE if not claim.holds else "(expected to be false here, but it held)"
        parts.append(Content.styled(f"  {word}", "$due" if claim.as_expected else "$wrong"))
    elif not claim.holds:
        parts.append(Content.styled("  (the demo expected this to hold)", "$wrong"))
    return hang(Content("").join(parts), width, Content.styled(sign, f"bold {colour}"))


def guess_lines(guess: Guess, width: int) -> list[Content]:
    """The question, the guess, and what came out."""
    outcome = guess.outcome
    if outcome is None:
        return []
    unit = f" {guess.prediction.unit}" if guess.prediction.unit else ""

    def said(value: str | float) -> str:
        return value if isinstance(value, str) else f"{number(value)}{unit}"

    if guess.answer is None:
        lead, words = Content.styled("· ", "$muted"), "not guessed"
    else:
        lead = (
            Content.styled("✓ ", "bold $right")
            if guess.right
            else Content.styled("✗ ", "bold $wrong")
        )
        words = f"you guessed {said(guess.answer)}"
    text = Content.assemble(
        plain_line(guess.prediction.question),
        "   ",
        plain_line(f"{words} · it is {said(outcome.value)}", "bold"),
    )
    lines = hang(text, width, lead)
    if outcome.text:
        lines.extend(hang(plain_line(outcome.text, "$muted"), width, "  "))
    return lines


class Verdicts(Lines):
    """The results at the top of the screen; while a prediction is open they are held back."""

    DEFAULT_CSS = "Verdicts { margin-bottom: 1; display: none; }"

    def __init__(self) -> None:
        super().__init__(id="verdicts")
        self.model: DemoModel | None = None

    def show(self, model: DemoModel) -> None:
        """Draw what the model has come to; nothing yet takes no room."""
        self.model = model
        self.display = bool(model.claims or model.findings or model.outcomes)
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        model = self.model
        if model is None:
            return []
        waiting = len(model.claims) + len(model.findings)
        if model.held_back:
            if not waiting:
                return []
            return hang(Content.styled("Results wait for your guess above.", "$due"), width, "")
        lines: list[Content] = []
        guesses = [line for each in model.guesses.values() for line in guess_lines(each, width)]
        if guesses:
            lines += [Content.styled("Your guesses", "bold"), *guesses]
        if model.claims:
            lines += [Content.styled("Claims", "bold")]
            lines += [line for each in model.claims.values() for line in claim_lines(each, width)]
        for finding in model.findings:
            lead = Content.styled("Say it: ", "bold $accent")
            lines += hang(plain(f"“{finding.strip()}”"), width, lead)
        return lines
