"""The live page of runs: what it reads, when it says so, and that it leaves no trace."""

import contextlib
import json
from io import BytesIO

import numpy as np
import pytest
from builders import point_policy
from page import join, words
from PIL import Image
from waiting import wait_until
from written_runs import write_run

from headstart.cli.main import main
from headstart.envs.make import make_env
from headstart.envs.toy import PointReach
from headstart.rollout.job import EVALUATION, EpisodeJob, run_episode
from headstart.runs.lock import Lock, is_held
from headstart.viz.strips import STILLS, film_strip
from headstart.web.server import PageServer
from headstart.web.watch import RunsPage, Teller, runs_files


def page_on(*places, episodes=0):
    return RunsPage(places, episodes=episodes, env_of=lambda path, named: named)


def evaluate_once_more(run, rate, env_steps):
    row = {"time/env_steps": env_steps, "eval/success_rate": rate, "eval/mean_q": -1.0}
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def test_the_page_changes_when_a_run_has_evaluated(tmp_path):
    run = write_run(tmp_path / "a-0", [0.25], env_steps=100)
    page = page_on(run)
    first = page.look()
    assert "25.0%" in first["runs"]
    assert "0 of 100" in first["runs"]
    assert page.look() is None
    evaluate_once_more(run, 0.75, 100)
    assert "75.0%" in page.look()["runs"]


def test_runs_that_appear_below_a_directory_are_shown_and_those_without_evaluation_wait(tmp_path):
    page = page_on(tmp_path)
    assert "no run yet" in page.look()["runs"]
    write_run(tmp_path / "first", [])
    assert "holds no evaluation yet" in page.look()["runs"]
    evaluate_once_more(tmp_path / "first", 0.5, 10)
    assert "50.0%" in page.look()["runs"]


def test_a_run_is_running_while_a_process_holds_it(tmp_path):
    run = write_run(tmp_path / "a-0", [0.25], env_steps=100)
    page = page_on(run)
    assert "stopped" in page.look()["runs"]
    with contextlib.closing(Lock(run)):
        if is_held(run) is None:
            pytest.skip("this system does not list locks")
        assert "running" in page.look()["runs"]
    assert "stopped" in page.look()["runs"]
    evaluate_once_more(run, 0.5, 100)
    assert "finished" in page.look()["runs"]


def test_watching_writes_nothing(tmp_path):
    run = write_run(tmp_path / "a-0", [0.25])
    (run / "policies").mkdir()
    point_policy().save(run / "policies" / "latest.safetensors")

    def listing():
        return [(path, path.stat().st_mtime_ns) for path in sorted(run.rglob("*"))]

    before, page = listing(), page_on(run)
    page.look()
    page.strips()
    assert listing() == before


def test_what_cannot_be_drawn_is_said_once_for_each_policy(tmp_path):
    run = write_run(tmp_path / "a-0", [0.25])
    (run / "policies").mkdir()
    point_policy().save(run / "policies" / "latest.safetensors")
    page = page_on(run, episodes=1)
    page.look()
    found, said = page.strips()
    assert found == []
    assert "no pictures: " in said
    assert page.strips() is None


def test_a_page_that_opens_later_gets_everything(tmp_path):
    run = write_run(tmp_path / "a-0", [0.25])
    with PageServer(runs_files()) as server:
        teller = Teller(server, page_on(run))
        for _ in range(2):
            with join(server) as page:
                wait_until(lambda: len(server._clients))
                teller.once()
                assert "25.0%" in words(page)["runs"]


class Drawn(PointReach):
    """A point whose pictures say by their brightness how far to the right it is."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, render_mode=None):
        super().__init__()
        self.render_mode = render_mode

    def render(self):
        return np.full((128, 128, 3), 127 * (1 + self._position[0]), np.uint8)


def test_a_strip_shows_an_episode_from_its_start_to_its_end():
    def to_the_right(observation):
        return np.float32([0.5, 0.0])

    env = make_env(f"{__name__}:Drawn,max_episode_steps=20", render_mode="rgb_array")
    job = EpisodeJob(to_the_right, 0, EVALUATION, 0)
    strip = film_strip(env, job)
    picture = np.asarray(Image.open(BytesIO(strip.picture)))[64, 64::128, 0].astype(float)
    episode = run_episode(env, job)
    places = episode.achieved_goals[[0, -1], 0]
    np.testing.assert_allclose(picture[[0, -1]], 127 * (1 + places), atol=3)
    assert (np.diff(picture) >= -3).all()
    assert strip.success == episode.success
    assert len(picture) == STILLS


def test_a_directory_that_is_not_there_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["watch", str(tmp_path / "none")])
    assert exit.value.code == 2
    assert "not a directory" in capsys.readouterr().err
