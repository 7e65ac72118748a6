"""A graph as an indented list: each node once with its children under it, further visits as a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studytool.tui.text import hang, number, plain_line
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from studytool.demo.events import Edge, Graph

MAX_LINES = 80


class GraphView(Lines):
    """Shows one Graph event; `show` replaces it."""

    DEFAULT_CSS = "GraphView { margin-bottom: 1; }"

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph

    def show(self, graph: Graph) -> None:
        self.graph = graph
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        lines = hang(plain_line(self.graph.title, "bold"), width, "")
        for depth, edge, name, seen in outline(self.graph):
            if len(lines) > MAX_LINES:
                lines.append(Content.styled("… and more", "$muted"))
                break
            text = plain_line(name)
            if edge is not None:
                label = " ".join(
                    part
                    for part in (edge.label, number(edge.weight) if edge.weight != 1.0 else "")
                    if part
                )
                if label:
                    text = Content.assemble(plain_line(label, "$muted"), " → ", text)
            if seen:
                text = text + Content.styled("  (above)", "$muted")
            lines.extend(hang(text, width, "  " * depth + ("└ " if depth else "")))
        return lines


def outline(graph: Graph) -> list[tuple[int, Edge | None, str, bool]]:
    """Depth, incoming edge, node, and whether it was listed before; roots first, depth-first.

    Works without recursion, and ends on cycles because a node's children are listed once.
    """
    children: dict[str, list[Edge]] = {}
    targets: set[str] = set()
    for each in graph.edges:
        children.setdefault(each.source, []).append(each)
        if each.source != each.target:
            targets.add(each.target)
    names = list(dict.fromkeys([*graph.nodes, *(each.source for each in graph.edges), *targets]))
    order = [name for name in names if name not in targets] + names
    listed: set[str] = set()
    result: list[tuple[int, Edge | None, str, bool]] = []
    for root in order:
        stack: list[tuple[int, Edge | None, str]] = [] if root in listed else [(0, None, root)]
        while stack:
            depth, edge, name = stack.pop()
            seen = name in listed
            listed.add(name)
            result.append((depth, edge, name, seen))
            if not seen:
                below = children.get(name, ())
                stack.extend((depth + 1, down, down.target) for down in reversed(below))
    return result
