"""The words of the demo screen: where a run stands, why it failed, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studytool.tui.demo_model import Phase
from studytool.tui.text import bar, number, plain, plain_line, seconds

if TYPE_CHECKING:
    from studytool.tui.demo_model import DemoModel
    from studytool.tui.ports import DemoSheet

BAR_WIDTH = 10
TRACE_LINES = 12


def standing(model: DemoModel, elapsed: float, seed: object) -> Content:
    """`seed 0 · training 180/340 ━━━━───── 0:12`."""
    parts: list[Content] = [] if seed is None else [Content.styled(f"seed {seed}", "$muted")]
    match model.phase:
        case Phase.DONE:
            took = model.done.seconds if model.done is not None else elapsed
            parts.append(Content.assemble(("✓ done ", "$right"), f"in {took:.1f} s"))
        case Phase.FAILED:
            parts.append(Content.styled("✗ failed", "bold $wrong"))
        case Phase.CANCELLED:
            parts.append(Content.styled("stopped", "$due"))
        case _:
            parts.append(_running(model, elapsed))
    return Content.styled(" · ", "$muted").join(parts)


def _running(model: DemoModel, elapsed: float) -> Content:
    stage = model.stage.name if model.stage is not None else "starting"
    progress = model.progress
    clock = f" {seconds(elapsed)}"
    if progress is None or progress.total <= 0:
        return plain_line(stage) + clock
    full, empty = bar(progress.done / progress.total, BAR_WIDTH)
    figures = f" {number(progress.done)}/{number(progress.total)} "
    return Content.assemble(plain_line(stage), figures, (full, "$accent"), (empty, "$track"), clock)


def trouble(model: DemoModel) -> Content:
    """A failure: what happened, the last lines, what to do. A stop: that nothing was lost."""
    if model.cancelled:
        return Content.assemble(
            ("Stopped. ", "bold $due"),
            "What was shown so far stays; ",
            ("r", "bold $accent"),
            " runs it again.",
        )
    failed = model.failed
    if failed is None:
        return Content("")
    parts = [Content.assemble(("✗ ", "bold $wrong"), plain(failed.error, "bold"))]
    trace = failed.trace.strip().splitlines()
    if trace:
        tail = "\n".join(f"  {line}" for line in trace[-TRACE_LINES:])
        parts.append(plain(tail, "$muted"))
    if failed.hint:
        parts.append(Content.assemble(("What to do: ", "bold"), plain(failed.hint)))
    parts.append(Content.assemble(("l", "bold $accent"), (" shows the whole log", "$muted")))
    return Content("\n").join(parts)


def missing(sheet: DemoSheet) -> Content:
    """How to install what the demo needs."""
    return Content.assemble(
        plain(sheet.info.summary),
        "\n\n",
        ("Its packages are not installed here. This installs them:\n\n", "$due"),
        plain(f"    {sheet.missing}", "bold"),
        "\n\n",
        ("Then come back; nothing else is needed.", "$muted"),
    )


def figures(model: DemoModel) -> Content:
    """Metrics without a curve, and the notes."""
    parts = [
        Content.assemble(
            plain_line(metric.name, "$muted"),
            " ",
            plain_line(f"{number(metric.value)} {metric.unit}".rstrip(), "bold"),
        )
        for metric in model.metrics.values()
        if metric.step is None
    ]
    lines = [Content.styled(" · ", "$muted").join(parts)] if parts else []
    lines += [Content.assemble(("note ", "$muted"), plain_line(note)) for note in model.notes]
    return Content("\n").join(lines)
