"""The pace of teleoperation, by a clock of its own."""

from itertools import islice

import pytest

from headstart.web.teleop.pace import paced


def times(events, *, count, work=0.0):
    """When steps of period 1 are taken if the controls move at ``events``."""
    waiting, clock = sorted(events), [0.0]

    def wait(seconds):
        clock[0] = min([clock[0] + seconds, *(event for event in waiting if event > clock[0])])

    def has_news():
        news = [event for event in waiting if event <= clock[0]]
        del waiting[: len(news)]
        return bool(news)

    found = []
    for _ in islice(paced(1.0, lambda: clock[0], wait, has_news), count):
        found.append(clock[0])
        clock[0] += work
    return found


def test_without_news_a_step_is_taken_at_each_end_of_a_period():
    assert times([], count=4) == [0.0, 1.0, 2.0, 3.0]


def test_a_movement_is_answered_at_once_and_the_number_of_steps_stays_the_same():
    assert times([0.25, 1.5, 1.75, 3.5], count=5) == [0.0, 0.25, 1.5, 2.0, 3.5]
    busy = times([number / 16 for number in range(1, 160)], count=11)
    assert busy[1:] == pytest.approx([1 / 16, *range(1, 10)])


def test_a_step_that_takes_too_long_is_followed_by_the_next_at_once():
    assert times([], count=4, work=1.5) == [0.0, 1.5, 3.0, 4.5]
