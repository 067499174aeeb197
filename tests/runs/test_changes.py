from dataclasses import fields, is_dataclass, replace

import pytest
from builders import is_one_line

from headstart.errors import InputError
from headstart.runs.changes import FIXED, FREE, check_changes, differences
from headstart.training.config import EvaluationConfig, TrainConfig

BASE = TrainConfig(evaluation=EvaluationConfig(every=2000, episodes=50))
LONGER = replace(BASE, env_steps=30_000, evaluation=replace(BASE.evaluation, episodes=500))
FASTER = replace(BASE, agent=replace(BASE.agent, actor_lr=3e-4), batch_size=512)
WIDER = replace(BASE, agent=replace(BASE.agent, hidden_sizes=(64, 64)))


def names(settings, place=""):
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            yield from names(value, f"{place}{field.name}.")
        else:
            yield f"{place}{field.name}"


def test_every_name_of_a_rule_is_a_setting():
    assert set(FREE) | set(FIXED) <= set(names(BASE))
    assert not set(FREE) & set(FIXED)


def test_differences_have_both_values():
    assert differences(BASE, BASE) == {}
    assert differences(BASE, LONGER) == {
        "env_steps": (15_000, 30_000),
        "evaluation.episodes": (50, 500),
    }


def test_a_longer_run_needs_no_leave():
    check_changes(BASE, LONGER, allow=False)


def refused(now, *, allow):
    with pytest.raises(InputError) as caught:
        check_changes(BASE, now, allow=allow)
    assert is_one_line(str(caught.value))
    return str(caught.value)


def test_what_changes_learning_needs_leave_and_is_listed():
    told = refused(FASTER, allow=False)
    assert "batch_size 256 -> 512" in told
    assert "agent.actor_lr 0.001 -> 0.0003" in told
    assert "--allow-change" in told
    check_changes(BASE, FASTER, allow=True)


def test_what_is_saved_has_a_shape_that_no_leave_changes():
    for allow in (False, True):
        assert "agent.hidden_sizes (128, 128, 128) -> (64, 64): cannot" in refused(
            WIDER, allow=allow
        )
