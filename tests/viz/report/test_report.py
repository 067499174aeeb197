"""The page on runs: what it says, that it needs nothing else, and that it obeys no file."""

from html.parser import HTMLParser

import numpy as np
import pytest
from builders import is_one_line, point_policy
from written_runs import write_run

from headstart.cli.main import main
from headstart.viz.report.chart import Chart, Series, number, ticks
from headstart.viz.report.page import write_report

MARKUP = "<script>alert(1)</script>"


class Outline(HTMLParser):
    """Tags that are open, addresses that are loaded, and whether all that is opened is closed."""

    VOID = ("meta", "br")

    def __init__(self, page):
        super().__init__()
        self.open, self.sources, self.tags = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href", "poster")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def runs(tmp_path):
    rates = [[0.0, 0.25, 0.5], [0.0, 0.5, 0.75], [0.1, 0.5, 1.0], [0.0, 0.4, 0.5]]
    slow = [write_run(tmp_path / f"slow-{seed}", it, seed=seed) for seed, it in enumerate(rates)]
    fast = write_run(tmp_path / "fast-0", [0.0, 1.0], **{"agent.tau": 0.125})
    return [*slow, fast]


def report(runs, tmp_path, **options):
    write_report(runs, tmp_path / "report.html", **options)
    return (tmp_path / "report.html").read_text()


def test_the_page_says_what_was_run_and_what_it_scores(runs, tmp_path):
    page = report(runs, tmp_path)
    assert "5 runs in 2 groups" in page
    # The middle half of 0.5, 0.5, 0.75, 1.0.
    assert "<b>62.5%</b><span>slow</span>" in page
    assert "headstart train PointReach-v0 --agent.tau 0.125" in page
    slow, fast = '<td data-head="slow">0.005</td>', '<td data-head="fast">0.125</td>'
    assert f"<code>agent.tau</code></th>{slow}{fast}" in page
    assert ">goals: air</td>" in page


def test_the_page_needs_no_other_file_and_is_well_formed(runs, tmp_path):
    outline = Outline(report(runs, tmp_path))
    assert outline.open == []
    assert all(source.startswith("data:") for source in outline.sources)
    assert "default-src 'none'" in (tmp_path / "report.html").read_text()
    assert (tmp_path / "report.html").stat().st_size < 100_000
    # Words and a table for each picture that is not for the eye alone.
    assert outline.tags.count("desc") == outline.tags.count("figure") == 2
    assert outline.tags.count("table") >= outline.tags.count("figure")


@pytest.mark.slow
def test_a_report_is_the_same_each_time(runs, tmp_path):
    assert report(runs, tmp_path) == report(runs, tmp_path)


def test_what_files_say_is_shown_and_not_obeyed(tmp_path):
    run = write_run(tmp_path / f"{MARKUP.replace('/', '')}-0", [0.5], env_id=MARKUP)
    page = report([run], tmp_path, title=MARKUP)
    assert "alert(1)" in page
    assert MARKUP not in page
    assert Outline(page).tags.count("script") == 1


@pytest.mark.slow
def test_episodes_give_time_to_success_and_what_cannot_be_drawn_is_said(tmp_path, capsys):
    components = {"task.goal_components": (1, 1), "task.goal_component_names": ("x", "y")}
    run = write_run(tmp_path / "run-0", [0.5], **components)
    (run / "policies").mkdir()
    point_policy().save(run / "policies" / "best.safetensors")
    out = tmp_path / "report.html"
    options = ["--episodes", "2", "--collectors", "0"]
    main(["report", str(run), "--out", str(out), *options])
    page = out.read_text()
    assert "2 episodes run for this page" in page
    assert "share of episodes that have reached their goal" in page
    assert "run for this report with seed 0" in page
    assert "component: x" in page
    # Of this task there are no pictures.
    assert "no films: " in page
    with pytest.raises(SystemExit):
        main(["report", str(run), "--out", str(out), *options])
    assert is_one_line(capsys.readouterr().err.strip())


def test_films_in_run_directories_are_shown_until_they_are_too_large(runs, tmp_path):
    (runs[0] / "play.mp4").write_bytes(b"film" * 10)
    (runs[0] / "z-large.mp4").write_bytes(b"film" * 1_000_000)
    page = report(runs, tmp_path)
    assert page.count("<video") == 1
    assert "data:video/mp4;base64,ZmlsbWZpbG1" in page


def test_a_chart_says_its_numbers_in_words_and_in_a_table():
    steps = np.array([0.0, 1000.0, 2000.0])
    low, high = np.array([0.0, 0.2, 0.5]), np.array([0.0, 0.4, 1.0])
    series = Series("a & b", 0, steps, np.array([0.0, 0.25, 0.75]), low, high)
    figure = Chart("success", "env steps", [series], is_rate=True).figure("one")
    assert "a &amp; b: 0.0% at 0 env steps, 75.0% at 2,000." in figure
    assert ">75.0% (50.0% to 100.0%)</td>" in figure
    assert ">0.0%</td>" in figure


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), (-8.6, 0.3, [-8.0, -6.0, -4.0, -2.0, 0.0])],
)
def test_axes_have_round_numbers(low, high, expected):
    assert ticks(low, high) == expected


def test_large_counts_are_short():
    assert [number(it) for it in (0.0, 2500.0, 120_000.0, 2_500_000.0)] == [
        "0", "2,500", "120k", "2.5M",
    ]  # fmt: skip
