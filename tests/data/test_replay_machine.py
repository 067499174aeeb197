"""Replay and every strategy, held to the slow reference through any history of calls."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from reference import (
    SlowReplay,
    Widths,
    coded_episode,
    coded_reward,
    decode,
    expected_end,
    expected_reward,
    same_bits,
)

from headstart.data import strategies
from headstart.data.hindsight import HindsightSampler
from headstart.data.replay import EpisodeReplay


def first(rows, rng):
    return rows.achieved_at(rows.row - rows.steps_taken)


def halfway(rows, rng):
    return 0.5 * (rows.achieved_goals + rows.desired_goals)


def raises(rows, rng):
    raise ValueError("no idea")


def writes_and_raises(rows, rng):
    for goals in (rows.achieved_goals, rows.desired_goals, rows.achieved_at(rows.row)):
        goals[:] = 7.0
    raise ValueError("no idea")


STRATEGIES = {
    "future": strategies.future,
    "final": strategies.final,
    "episode": strategies.episode,
    "random": strategies.random,
    "moved": strategies.PreferMoved(strategies.future, share=0.5, distance=2.0),
    "first": first,
    "halfway": halfway,
}
SHARES = (0.0, 0.5, 1.0)
WRONG_STRATEGIES = [
    (raises, "no idea"),
    (writes_and_raises, "no idea"),
    (lambda rows, rng: rows.achieved_goals[:-1], "returned shape"),
    (lambda rows, rng: rows.achieved_goals[0], "returned shape"),
    (lambda rows, rng: rows.achieved_goals.repeat(2, axis=1), "returned shape"),
    (lambda rows, rng: rows.achieved_goals * np.nan, "NaN or infinity"),
    (lambda rows, rng: np.full(rows.achieved_goals.shape, np.inf), "NaN or infinity"),
]

width = st.integers(1, 4)
widths = st.builds(Widths, observation=width, goal=width, action=width, info=st.integers(0, 2))
ends = st.sampled_from(["never", "at the goal", "at the goal or the last step", "anywhere"])
counts = st.integers(1, 40)


class ReplayMachine(RuleBasedStateMachine):
    @initialize(capacity=st.integers(2, 40), widths=widths, seed=st.integers(0, 1000))
    def start(self, capacity, widths, seed):
        self.widths = widths
        self.replay = EpisodeReplay(
            capacity,
            observation_dim=widths.observation,
            goal_dim=widths.goal,
            action_dim=widths.action,
            info_dim=widths.info,
        )
        self.slow = SlowReplay(capacity)
        self.rng = np.random.default_rng(seed)
        self.num_added = 0
        # They live as long as the replay: a sampler that remembers what was stored once is wrong.
        self.samplers = {
            (name, share): self.sampler(strategy, share)
            for name, strategy in STRATEGIES.items()
            for share in SHARES
        }

    def sampler(self, strategy, share):
        return HindsightSampler(
            self.replay, coded_reward, relabel_fraction=share, rng=self.rng, strategy=strategy
        )

    def next_episode(self, steps, *, widths=None, ends="never"):
        return coded_episode(self.num_added, steps, widths=widths or self.widths, ends=ends)

    def add(self, episode):
        self.replay.add(episode)
        self.slow.add(self.num_added, episode)
        self.num_added += 1

    @rule(data=st.data(), ends=ends)
    def add_any(self, data, ends):
        steps = data.draw(st.integers(1, self.replay.capacity - 1))
        self.add(self.next_episode(steps, ends=ends))

    @rule(data=st.data(), ends=ends)
    def add_short(self, data, ends):
        steps = data.draw(st.integers(1, min(4, self.replay.capacity - 1)))
        self.add(self.next_episode(steps, ends=ends))

    @rule(ends=ends)
    def add_the_longest(self, ends):
        self.add(self.next_episode(self.replay.capacity - 1, ends=ends))

    @rule(extra=st.integers(0, 3))
    def add_too_long(self, extra):
        with pytest.raises(ValueError, match="does not fit"):
            self.replay.add(self.next_episode(self.replay.capacity + extra))

    @rule(field=st.sampled_from(fields(Widths)), change=st.sampled_from([-1, 1]))
    def add_of_other_widths(self, field, change):
        width = max(field.default, getattr(self.widths, field.name) + change)
        others = replace(self.widths, **{field.name: width})
        if others != self.widths:
            with pytest.raises(ValueError, match="has width"):
                self.replay.add(self.next_episode(1, widths=others))

    @rule(count=st.integers(0, 40))
    def draw(self, count):
        if not self.slow.placed:
            with pytest.raises(ValueError, match="empty replay"):
                self.replay.draw(count, self.rng)
            return
        rows = self.replay.draw(count, self.rng)
        assert rows.shape == (count,)
        assert set(rows) <= {row for row, _, _ in self.slow.transitions()}

    @rule(count=counts, name=st.sampled_from(list(STRATEGIES)), share=st.sampled_from(SHARES))
    def sample(self, count, name, share):
        sampler = self.samplers[name, share]
        if not self.slow.placed:
            with pytest.raises(ValueError, match="empty replay"):
                sampler.sample(count)
            return
        batch = sampler.sample(count)
        assert len(batch) == count
        for index in range(count):
            row = batch.map(lambda array, index=index: array[index])
            is_relabelled = self.check(row, name)
            assert is_relabelled or share < 1.0
            assert not (is_relabelled and share == 0.0)
        # The invariants would see this if a batch were a view of what is stored.
        for field in fields(batch):
            getattr(batch, field.name)[:] = 123.0

    def check(self, row, strategy):
        """Trace one sampled row; return whether its goal is another than the original one."""
        number, step = decode(row.observation)
        episode = self.slow.episodes[number]
        assert 0 <= step < len(episode)
        assert same_bits(row.observation, episode.observations[step])
        assert same_bits(row.achieved_goal, episode.achieved_goals[step])
        assert same_bits(row.action, episode.actions[step])
        assert same_bits(row.next_observation, episode.observations[step + 1])
        assert same_bits(row.next_achieved_goal, episode.achieved_goals[step + 1])
        goal = row.desired_goal
        is_relabelled = not same_bits(goal, episode.desired_goals[step])
        if is_relabelled:
            allowed = self.slow.allowed_goals(strategy, number, step)
            assert any(same_bits(goal, other) for other in allowed)
        assert row.reward == expected_reward(episode, step, goal)
        assert row.terminated == expected_end(episode, step, goal)
        return is_relabelled

    @precondition(lambda self: self.slow.placed)
    @rule(count=counts, wrong=st.sampled_from(WRONG_STRATEGIES))
    def sample_by_a_wrong_strategy(self, count, wrong):
        strategy, printed = wrong
        sampler = self.sampler(strategy, 1.0)
        with pytest.raises(ValueError, match=printed):
            sampler.sample(count)

    @invariant()
    def stores_the_same_transitions_in_the_same_rows(self):
        rows = [row for row, _, _ in self.slow.transitions()]
        steps_left = self.replay.steps_left(np.arange(self.replay.capacity))
        assert np.flatnonzero(steps_left).tolist() == rows
        assert self.replay.num_transitions == len(rows)
        assert self.replay.num_episodes == len(self.slow.placed)

    @invariant()
    def stores_every_number_to_the_last_bit(self):
        for _, rows, episode in self.slow.placed:
            states = np.array(rows)
            steps = states[:-1]
            assert same_bits(self.replay.observations[states], episode.observations)
            assert same_bits(self.replay.achieved_goals[states], episode.achieved_goals)
            assert same_bits(self.replay.desired_goals[steps], episode.desired_goals)
            assert same_bits(self.replay.actions[steps], episode.actions)
            assert same_bits(self.replay.reward_infos[steps], episode.reward_infos)
            assert self.replay.terminated[steps].tolist() == episode.terminated.tolist()
            assert self.replay.steps_taken(states).tolist() == list(range(len(states)))
            assert self.replay.steps_left(states).tolist() == list(range(len(states)))[::-1]

    @invariant()
    def keeps_the_newest_episodes(self):
        numbers = list(self.slow.episodes)
        assert numbers == list(range(self.num_added))[self.num_added - len(numbers) :]


TestReplayAndSamplersAgainstTheReference = ReplayMachine.TestCase
TestReplayAndSamplersAgainstTheReference.settings = settings(
    max_examples=80, stateful_step_count=40
)
