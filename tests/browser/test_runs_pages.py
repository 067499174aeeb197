"""The report and the live page of runs in a real browser, on a phone and on a screen."""

import json

import pytest
from written_runs import write_run

from headstart.viz.report.page import write_report
from headstart.web.server import PageServer
from headstart.web.watch import RunsPage, Teller, runs_files

PHONE, SCREEN = {"width": 390, "height": 800}, {"width": 1280, "height": 800}


@pytest.fixture
def runs(tmp_path):
    return [
        write_run(tmp_path / "slow-0", [0.0, 0.25, 0.5]),
        write_run(tmp_path / "fast-0", [0.0, 0.75, 1.0], **{"agent.tau": 0.125}),
    ]


def opened(chromium, address, viewport, scheme="light"):
    page = chromium.new_page(viewport=viewport, color_scheme=scheme)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text))
    page.goto(address)
    return page


def is_wider_than_its_window(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def cut_tables(page):
    return page.evaluate(
        "[...document.querySelectorAll(':not(details) > .scroll')]"
        ".filter((it) => it.scrollWidth > it.clientWidth).length"
    )


def test_a_report_is_read_on_a_phone_in_the_dark_and_on_a_screen(chromium, runs, tmp_path):
    write_report(runs, tmp_path / "report.html")
    papers = set()
    for viewport, scheme in ((PHONE, "dark"), (SCREEN, "light")):
        page = opened(chromium, f"file://{tmp_path}/report.html", viewport, scheme)
        assert not is_wider_than_its_window(page)
        assert cut_tables(page) == 0
        papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.locator("svg.plot").first.hover(position={"x": 60, "y": 60})
        assert "env steps 0: slow 0.0% · fast 0.0%" in page.locator(".readout").first.text_content()
        line = page.locator("svg.plot").first.locator('g[data-series="1"]')
        page.get_by_role("button", name="fast").first.click()
        assert not line.is_visible()
        page.locator("summary").first.click()
        assert page.get_by_role("cell", name="75.0%").first.is_visible()
        assert page.faults == []
        page.close()
    assert len(papers) == 2


def test_the_live_page_follows_a_run_and_keeps_what_its_reader_has_chosen(chromium, runs):
    with PageServer(runs_files()) as server:
        teller = Teller(server, RunsPage(runs, episodes=0, env_of=lambda path, named: named))
        page = opened(chromium, server.link, PHONE)

        def wait_for(words):
            while words not in page.text_content("#runs"):
                teller.once()
                page.wait_for_timeout(50)

        wait_for("50.0%")
        page.get_by_role("button", name="fast").first.click()
        row = {"time/env_steps": 300, "eval/success_rate": 0.625, "eval/mean_q": 0.0}
        with (runs[0] / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        wait_for("62.5%")
        assert not page.locator("svg.plot").first.locator('g[data-series="1"]').is_visible()
        assert not is_wider_than_its_window(page)
        assert "live" in page.text_content("#state")
        assert page.faults == []
        page.close()
