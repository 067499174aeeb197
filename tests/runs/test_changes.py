from dataclasses import replace
from pathlib import Path

import pytest
from builders import is_one_line

from headstart.data.layout import ComponentLayout
from headstart.data.symmetry import Reflection
from headstart.dotted import walk
from headstart.errors import InputError
from headstart.runs.changes import check_changes, differences
from headstart.training.config import EvaluationConfig, TrainConfig

BASE = TrainConfig(evaluation=EvaluationConfig(every=2000, episodes=50))
LONGER = replace(BASE, env_steps=30_000, evaluation=replace(BASE.evaluation, episodes=500))
FASTER = replace(BASE, agent=replace(BASE.agent, actor_lr=3e-4), batch_size=512)
WIDER = replace(BASE, agent=replace(BASE.agent, hidden_sizes=(64, 64)))


FREE = {
    "env_steps", "target_success", "policy_every", "log_every", "episode_timeout",
    "evaluation.every", "evaluation.episodes", "evaluation.at_start", "profile", "device",
    "failures.share", "failures.at_least", "checkpoint.seconds", "checkpoint.keep",
}  # fmt: skip
"""Settings that no update depends on."""
FIXED = {
    "seed", "replay_capacity", "symmetry", "actor_inputs", "init_policy", "fine_scales",
    "task.velocities", "task.positions", "task.goal_positions", "task.hand", "task.angles",
    "task.shift_axes", *(it.name for it in walk(Reflection(), "task.state_mirror.")),
    *(it.name for it in walk(ComponentLayout(), "task.component_layout.")),
    "demos.expand", "demos.expand_speed", "demos.expand_noise", "demos.find",
    "demos.num_episodes", "resets.frontier",
    "learner.mode", "learner.processes", "learner.shards",
    "warm_start.bc_updates", "warm_start.episodes", "warm_start.episodes_in_doubt",
    "warm_start.critic_updates",
    "agent.hidden_sizes", "agent.num_critics", "agent.goal_input", "agent.normalize_inputs",
}  # fmt: skip
"""Settings that the shape of what is saved depends on, or what is over already."""


@pytest.mark.parametrize(("on_resume", "expected"), [("free", FREE), ("fixed", FIXED)])
def test_what_a_resume_may_do_with_a_setting_is_said_where_the_setting_is(on_resume, expected):
    assert {it.name for it in walk(BASE) if it.rule.resume == on_resume} == expected


RUN = Path("runs/my run")


def test_differences_have_both_values():
    assert differences(BASE, BASE) == {}
    assert differences(BASE, LONGER) == {
        "env_steps": (15_000, 30_000),
        "evaluation.episodes": (50, 500),
    }


def test_a_longer_run_needs_no_leave():
    check_changes(RUN, BASE, LONGER, allow=False)


def refusal_of(now, *, allow):
    with pytest.raises(InputError) as caught:
        check_changes(RUN, BASE, now, allow=allow)
    assert is_one_line(str(caught.value))
    return str(caught.value)


def test_what_changes_learning_needs_leave_and_is_listed():
    message = refusal_of(FASTER, allow=False)
    assert "batch_size 256 -> 512" in message
    assert "agent.actor_lr 0.001 -> 0.0003" in message
    assert "headstart resume 'runs/my run' ... --allow-change" in message
    assert "resume(..., allow_change=True)" in message
    check_changes(RUN, BASE, FASTER, allow=True)


def test_what_is_saved_has_a_shape_that_no_leave_changes():
    for allow in (False, True):
        assert "agent.hidden_sizes (128, 128, 128) -> (64, 64): cannot" in refusal_of(
            WIDER, allow=allow
        )
