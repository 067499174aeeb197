import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import point_expert, random_episode

from headstart.cli.main import main
from headstart.demos.inspect import inspect_demos
from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet, save_demos


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    """A directory with a file of good demonstrations and one of bad ones."""
    monkeypatch.chdir(tmp_path)
    demos = collect_demos("PointReach-v0", point_expert, episodes=6)
    save_demos("good.npz", demos)
    still = [
        replace(ep, is_success=np.zeros(30, bool), actions=ep.actions * [1, 0])
        for ep in demos.episodes[:4]
    ]
    save_demos("bad.npz", replace(demos, episodes=(*still, *demos.episodes[4:], still[0])))
    return tmp_path


def run(command, capsys):
    main(shlex.split(command))
    return capsys.readouterr()


def rows(text):
    """The lines of the report by their names; lines without one belong to the one above."""
    found, name = {}, ""
    for line in text.splitlines():
        name = line[:17].strip() or name
        found.setdefault(name, []).append(line[17:].strip())
    return found


def test_json_is_the_report(workplace, capsys):
    printed = run("demos inspect good.npz --json", capsys)
    report = json.loads(printed.out)
    demos = collect_demos("PointReach-v0", point_expert, episodes=6)
    assert report == inspect_demos(demos)
    assert printed.out.count("\n") == 1
    assert printed.err == ""


def test_a_person_reads_names_and_values(workplace, capsys):
    printed = run("demos inspect good.npz", capsys)
    report = inspect_demos(collect_demos("PointReach-v0", point_expert, episodes=6))
    found = rows(printed.out)
    assert len(printed.out.splitlines()) < 30
    assert max(map(len, printed.out.splitlines())) <= 110
    assert found["env id"] == ["PointReach-v0"]
    assert found["source"] == ["expert point_expert, no noise, with snapshots"]
    assert found["episodes"] == ["6 of 30 steps, 180 transitions, no duplicates"]
    assert found["success"] == ["100.0% at the end, 100.0% ever, none lose it on the way"]
    assert found["tasks"] == ["6 different: 6 starts, 6 goals"]
    gap = report["goal_gap"]
    assert found["goal to nearest"] == [
        f"{gap['min']:.3g} to {gap['max']:.3g}, median {gap['median']:.3g}"
    ]
    (deviations,) = found["actions std"]
    assert [float(value) for value in deviations.split()] == pytest.approx(
        report["action_std"], rel=1e-2
    )
    assert found["remarks"] == ["none"]
    assert found["problems"] == ["none found"]


def test_a_person_reads_what_is_wrong(workplace, capsys):
    found = rows(run("demos inspect bad.npz", capsys).out)
    text = " ".join(found["problems"])
    assert "5 of 7 episodes do not end in success" in text
    assert "1 of 7 episodes are copies" in text
    assert found["episodes"] == ["7 of 30 steps, 210 transitions, 1 duplicate"]
    assert found["success"][0].startswith("28.6% at the end")


def test_bounds_have_their_lines_where_they_are_known(workplace, capsys):
    demos = collect_demos("PointReach-v0", point_expert, episodes=1)
    for bounds in ([[-1.0, -2.0], [1.0, 2.0]], None):
        header = {**demos.header, "action_bounds": bounds}
        save_demos("one.npz", replace(demos, header=header))
        found = rows(run("demos inspect one.npz", capsys).out)
        lines = [found.get(f"bounds {end}") for end in ("low", "high")]
        numbers = [line and [float(cell) for cell in line[0].split()] for line in lines]
        assert numbers == (bounds or [None, None])


def test_dead_actions_imports_and_parts_have_their_lines(workplace, capsys):
    rng = np.random.default_rng(0)
    episodes = [random_episode(rng, steps, goal_dim=3, action_dim=12) for steps in (4, 1, 7)]
    moving = np.arange(12) != 11
    episodes = [replace(ep, actions=ep.actions * moving) for ep in episodes]
    header = {"imported_from": "old.npz", "format": "baselines", "remarks": ["Cut\x1b one."]}
    save_demos("old.npz", DemoSet("FetchPickAndPlace-v4", tuple(episodes), header))
    found = rows(run("demos inspect old.npz", capsys).out)
    assert found["source"] == [
        "imported from old.npz (baselines), no snapshots: no resets to states"
    ]
    assert found["episodes"] == ["3 of 1 to 7 steps, 12 transitions, no duplicates"]
    assert [len(line.split()) for line in found["actions low"]] == [10, 2]
    assert found["never change"] == ["11"]
    assert found["remarks"][0] == "Cut? one."
    assert found["air"][0].startswith(tuple("0123"))
    assert "episode" in found["table"][0]


@pytest.mark.slow
def test_plot_draws_and_leaves_standard_output_to_the_report(workplace, capsys):
    printed = run("demos inspect good.npz --json --plot good.png", capsys)
    assert json.loads(printed.out)["episodes"] == 6
    assert "good.png" in printed.err
    assert Path("good.png").read_bytes().startswith(b"\x89PNG")
    run("demos inspect good.npz --plot good.svg", capsys)
    assert "<svg" in Path("good.svg").read_text()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("demos inspect missing.npz --plot out.png", "missing.npz: no such demo file"),
        ("demos inspect good.npz --plot out.txt", "out.txt: a picture must be called"),
        ("demos inspect good.npz --plot nowhere/out.png", "there is no directory nowhere"),
    ],
)
def test_bad_input_is_reported_in_one_line_before_anything_is_printed(
    workplace, capsys, command, expected
):
    with pytest.raises(SystemExit) as stopped:
        main(shlex.split(command))
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    assert expected in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert sorted(path.name for path in workplace.iterdir()) == ["bad.npz", "good.npz"]
