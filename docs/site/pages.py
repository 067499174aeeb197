"""Gather the pages of the site: the documents as they are, what they link to, and the API.

``make site`` runs it, and Zensical makes ``build/site`` of the pages in ``build/pages``. Links out
of ``docs`` lead to pages of their own, so that the site needs no other server.
"""

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "build" / "pages"
LANGUAGES = {".py": "python", ".json": "json"}
GROUPS = {
    "runs": "Training",
    "training": "Settings and results of a run",
    "presets": "Presets",
    "demos": "Demonstrations",
    "envs": "Environments",
    "data": "Episodes, replay, hindsight",
    "agents": "Agents",
    "policy": "Policies",
    "rollout": "Episodes and executors",
    "viz": "Pictures",
    "export": "Export",
    "integrations": "For the training code of others",
    "errors": "Errors",
}
"""The headings of the API page, by the package that a public name lives in."""
_LINK = re.compile(r"(\]\(|src=\")(?!https?:|mailto:|#)([^)#\s\"]+)")

_FILE = re.compile(r"\[(?:docs/)?([\w-]+\.md)\]\(")
"""A link that is called as its file, which has a title here."""


def main() -> None:
    """Write all pages into ``build/pages``."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES, ignore=shutil.ignore_patterns("site", "*.md"))
    shutil.copy(ROOT / "docs" / "site" / "site.css", PAGES)
    waiting = [ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
    done = set()
    while waiting:
        source = waiting.pop()
        if source not in done:
            done.add(source)
            waiting += write_page(source)
    (PAGES / "api.md").write_text(api())


def write_page(source: Path) -> list[Path]:
    """Write the page of a file, and return the files of this repository that it links to."""
    found: list[Path] = []

    def link(match: re.Match[str]) -> str:
        target = (source.parent / match[2]).resolve()
        if not target.is_file() or target.suffix in (".png", ".gif"):
            inside = "images/" + target.name if target.suffix in (".png", ".gif") else match[2]
            return match[1] + inside
        found.append(target)
        return match[1] + name_of(target)

    text = source.read_text()
    if source.suffix == ".ipynb":
        text = "\n\n".join(cell_text(cell) for cell in json.loads(text)["cells"])
    elif source.suffix != ".md":
        language = LANGUAGES.get(source.suffix, "text")
        text = f"# {source.relative_to(ROOT)}\n\n```{language}\n{text.rstrip()}\n```\n"
    parts = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    text = "".join(
        part if part.startswith("```") else _FILE.sub(titled, _LINK.sub(link, part))
        for part in parts
    )
    (PAGES / name_of(source)).write_text(text)
    return found


def titled(link: re.Match[str]) -> str:
    """Return the beginning of a link that is called as its page."""
    page = ROOT / "docs" / link[1]
    title = (page if page.is_file() else ROOT / link[1]).read_text().partition("\n")[0]
    return f"[{title.removeprefix('# ').partition(':')[0]}]("


def cell_text(cell: dict[str, Any]) -> str:
    """Return a cell of a notebook as it is read on a page."""
    text = "".join(cell["source"])
    return text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"


def name_of(source: Path) -> str:
    """Return the name of the page of a file; all of them lie in one directory."""
    if source.parent == ROOT / "docs":
        return source.name
    if source.suffix == ".md" or source.name == "LICENSE":
        return f"{source.stem.lower()}.md"
    return "-".join(source.relative_to(ROOT).with_suffix("").parts) + ".md"


def api() -> str:
    """Return the page of all public names, with what their docstrings say."""
    tree = ast.parse((ROOT / "src" / "headstart" / "__init__.py").read_text())
    names = {
        name.name: node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("headstart.")
        for name in node.names
    }
    tour = "What `from headstart import ...` offers. [From Python](python.md) is the tour."
    lines = ["# API", "", tour]
    for package, heading in GROUPS.items():
        own = sorted(name for name, module in names.items() if module.split(".")[1] == package)
        lines += ["", f"## {heading}"] if own else []
        for name in own:
            lines += ["", f"::: {names.pop(name)}.{name}"]
    if names:
        raise SystemExit(f"docs/site/pages.py: GROUPS has no heading for {', '.join(names)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
