"""What people's environments do is called what it is: nothing more, nothing else."""

import pytest
from builders import is_one_line
from envs.habits import HABITS
from envs.reports import report


@pytest.mark.parametrize(("name", "expected", "what_to_do"), HABITS)
def test_each_is_called_what_it_is(name, expected, what_to_do):
    found = report(name)
    assert found.advice == ()
    if expected is None:
        assert found.problems == ()
        assert found.restores_states is True
    else:
        assert any(expected in said and what_to_do in said for said in found.problems), (
            found.problems
        )
        assert all(is_one_line(said) for said in found.problems)


def test_a_wrapper_with_a_state_of_its_own_is_not_a_problem():
    """Training works; resets to demonstrations are what it cannot have."""
    found = report("Sticky")
    assert (found.problems, found.advice, found.restores_states) == ((), (), False)
    assert found.restores_why_not.startswith("the wrapper StickyAction keeps a state of its own")


def test_a_time_limit_within_the_environment_is_one():
    found = report("OwnLimit")
    assert (found.problems, found.spec.max_episode_steps) == ((), 12)
