"""Pieces of HTML. What comes out of files is text and never markup."""

from collections.abc import Sequence
from html import escape

from headstart.text import printable


def text(value: object, longest: int | None = 400) -> str:
    """Return something as text of a page."""
    return escape(printable(value, longest))


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column names its rows; all cells are HTML already.

    Its heads are text alone: on a narrow screen each cell stands below its own.
    """
    titles = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = []
    for first, *rest in rows:
        pairs = zip(head[1:], rest, strict=True)
        cells = "".join(f'<td data-head="{title}">{cell}</td>' for title, cell in pairs)
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}">'
        f'<table><caption>{caption}</caption><thead><tr>{titles}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )  # fmt: skip


def section(title: str, *parts: str, note: str = "") -> str:
    """Return a section with its heading; nothing if it has no parts."""
    content = "".join(parts)
    note = f'<p class="note">{note}</p>' if note else ""
    return f"<section><h2>{title}</h2>{note}{content}</section>" if content else ""


def percent(share: float) -> str:
    """Return a share as text."""
    return f"{share:.1%}"


def with_interval(share: float, low: float, high: float) -> str:
    """Return a share with its interval, which is left out where it is a point."""
    ends = "" if low == high else f" ({percent(low)} to {percent(high)})"
    return f"{percent(share)}{ends}"


def bar(share: float, style: int) -> str:
    """Return a small bar that is so full; what it says stands beside it as text."""
    width = 100 * min(max(share, 0.0), 1.0)
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="empty" width="100" height="8"/>'
        f'<rect class="fill s{style}" width="{width:.2f}" height="8"/></svg>'
    )
