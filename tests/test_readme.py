"""What the README and the documents ask people to type is accepted by the program."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import headstart
from headstart.cli.main import parse
from headstart.cli.train import settings_of

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.M | re.S)


def commands() -> list[str]:
    text = [block for page in PAGES for block in blocks(page, "(?:bash|sh)?")]
    joined = [block.replace("\\\n", " ") for block in text]
    lines = [line.partition("#")[0] for block in joined for line in block.splitlines()]
    return [line.strip() for line in lines if re.match(r"headstart (?!VERB)\w", line)]


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_shown_is_understood(command, tmp_path):
    arguments = parse(shlex.split(command)[1:])
    if arguments.verb == "train":
        if arguments.config is not None:
            arguments.config = tmp_path / "config.json"
            arguments.config.write_text("{}")
        settings_of(arguments)


def test_there_are_commands_to_understand():
    assert len(commands()) > 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_example_uses_names_that_exist(page):
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "headstart":
                for name in node.names:
                    assert hasattr(headstart, name.name), (page.name, name.name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_local_link_and_picture_is_there(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_heading_that_is_linked_to_is_there(page):
    for name, anchor in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", page.read_text()):
        assert anchor in anchors(page.parent / name if name else page), (name, anchor)


def test_every_figure_is_listed_with_its_command():
    listed = set(re.findall(r"^## (\S+)\n\nIn .*\n\n```$", read("figures.md"), flags=re.M))
    assert listed == {path.name for path in (ROOT / "docs" / "images").iterdir()}


def test_the_site_has_every_page():
    config = (ROOT / "mkdocs.yml").read_text()
    for page in PAGES[1:]:
        assert f" {page.name}\n" in config, page.name


def test_public_names_can_be_imported():
    for name in headstart.__all__:
        assert getattr(headstart, name) is not None
