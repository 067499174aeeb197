"""Settings are changed by their dotted names."""

import pytest
from builders import is_one_line

from headstart import DDPGConfig, InputError, TrainConfig
from headstart.dotted import change_settings, walk
from headstart.presets import PRESETS


def test_settings_change_by_dotted_names_and_the_others_stay():
    her = PRESETS["her"]
    changed = her.with_(**{"agent.actor_lr": 3e-4, "agent.tau": 0.01}, env_steps=5000)
    assert (changed.agent.actor_lr, changed.agent.tau, changed.env_steps) == (3e-4, 0.01, 5000)
    pairs = zip(walk(changed), walk(her), strict=True)
    assert {now.name for now, before in pairs if now.value != before.value} == {
        "agent.actor_lr",
        "agent.tau",
        "env_steps",
    }


def test_every_way_to_name_a_setting_is_the_same():
    config = TrainConfig()
    expected = config.with_({"cycle.episodes": 3, "seed": 7})
    assert config.with_(**{"cycle.episodes": 3}, seed=7) == expected
    assert config.with_(cycle={"episodes": 3}, seed=7) == expected
    assert config.with_({"cycle": config.cycle, "cycle.episodes": 3}, seed=7) == expected
    assert config.with_() == config


def test_a_section_is_replaced_whole_and_then_changed():
    agent = DDPGConfig(tau=0.5)
    assert TrainConfig().with_(agent=agent).agent == agent
    changed = TrainConfig().with_({"agent": agent, "agent.num_critics": 1}).agent
    assert (changed.tau, changed.num_critics) == (0.5, 1)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("agent.actorlr", "agent.actor_lr"),
        ("actor_lr", "agent.actor_lr"),
        ("env_step", "env_steps"),
        ("demos.actor_lr", "agent.actor_lr"),
        ("every", "evaluation.every"),
        ("seed.value", None),
        ("", None),
    ],
)
def test_an_unknown_setting_is_refused_with_what_may_be_meant(name, hint):
    with pytest.raises(InputError, match="there is no setting") as refusal:
        TrainConfig().with_({name: 1})
    assert repr(name) in str(refusal.value)
    assert is_one_line(str(refusal.value))
    assert ("did you mean" in str(refusal.value)) == (hint is not None)
    assert hint is None or hint in str(refusal.value)


def test_values_are_checked_as_on_construction():
    with pytest.raises(InputError, match=r"hindsight.relabel_fraction must lie in \[0, 1\], got 2"):
        TrainConfig().with_({"hindsight.relabel_fraction": 2.0})
    with pytest.raises(
        InputError, match=r"agent must be an object of settings .*DDPGConfig or a dict.*, got 3"
    ):
        change_settings(TrainConfig(), {"agent": 3})
    with pytest.raises(InputError, match="changed by a dict of them, got list"):
        TrainConfig().with_(["seed"])


def test_settings_that_need_each_other_change_together():
    changes = {"warm_start.episodes": 0, "warm_start.critic_updates": 0}
    assert TrainConfig().with_(**changes) == TrainConfig().with_(changes)
    first, *others = changes.items()
    assert TrainConfig().with_(dict([first]), **dict(others)) == TrainConfig().with_(changes)
