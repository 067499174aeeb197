"""What several learners make of one batch: the same as one does, to the bit or up to rounding."""

import threading

import numpy as np
import pytest
import torch
from builders import random_batch

from headstart.agents.config import DDPGConfig
from headstart.agents.ddpg import DDPG
from headstart.agents.device import send_batch
from headstart.agents.learners import OwnBatches, Shards
from headstart.agents.state import agent_state

SIZES = {"observation_dim": 4, "goal_dim": 2, "action_dim": 3}
NUM_SHARDS = 4


def make_agent(learners=None):
    return DDPG(
        DDPGConfig(hidden_sizes=(32, 32), q_filter_from=5, actor_delay=2),
        observation_dim=4,
        goal_dim=2,
        action_low=[-1.0] * 3,
        action_high=[1.0] * 3,
        reward_range=(-1.0, 0.0),
        seed=0,
        learners=learners,
    )


def learn_in_every_way(agent, num_demos=8, rows=slice(None)):
    """Take batches into account in every way there is; return what was reported and learned."""
    reported = {}
    for number in range(10):
        batch = random_batch(np.random.default_rng(number), 32, **SIZES, num_demos=num_demos)
        batch = batch.map(lambda column: column[rows])
        agent.observe(batch)
        sent = send_batch(batch, agent.device)
        for learn in (agent.clone, agent.update_critics, agent.update):
            reported |= {f"{number} {name}": float(it) for name, it in learn(sent).items()}
    return reported, agent_state(agent)


def gathering(count):
    """What gives each of so many threads what all of them have, as processes would."""
    barrier, all_own = threading.Barrier(count, timeout=30), [None] * count

    def gather_as(rank):
        def gather(own):
            all_own[rank] = own
            barrier.wait()
            gathered = [*all_own]
            barrier.wait()
            return gathered

        return gather

    return [gather_as(rank) for rank in range(count)]


def processes(count):
    """As many learners as processes would be, which share four shards."""
    share = NUM_SHARDS // count
    return [
        Shards(
            NUM_SHARDS,
            range(rank * share, (rank + 1) * share),
            lambda own, gather=gather: torch.cat(gather(own)),
        )
        for rank, gather in enumerate(gathering(count))
    ]


def in_threads(learners, rows=(slice(None),) * NUM_SHARDS):
    outcomes = [None] * len(learners)

    def run(rank):
        outcomes[rank] = learn_in_every_way(make_agent(learners[rank]), rows=rows[rank])

    threads = [threading.Thread(target=run, args=[rank]) for rank in range(len(learners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def same(one, other):
    return one[0] == other[0] and all(torch.equal(one[1][name], other[1][name]) for name in one[1])


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
def test_processes_that_share_shards_have_the_bits_of_one(count):
    alone = learn_in_every_way(make_agent(Shards(NUM_SHARDS)))
    assert all(same(outcome, alone) for outcome in in_threads(processes(count)))
    assert not same(learn_in_every_way(make_agent()), alone)


@pytest.mark.parametrize("num_demos", [0, 8])
def test_shards_are_the_whole_batch_up_to_rounding(num_demos):
    (said, state), (whole_said, whole) = (
        learn_in_every_way(make_agent(learners), num_demos)
        for learners in (Shards(NUM_SHARDS), None)
    )
    assert said == pytest.approx(whole_said, rel=1e-3, abs=1e-4)
    for name, tensor in whole.items():
        torch.testing.assert_close(state[name], tensor, rtol=1e-2, atol=1e-3)


def test_a_shard_without_demonstrations_takes_part_in_a_batch_with_some():
    # Two demonstrated rows in four shards, as a run has that a person has corrected.
    (said, state), (whole_said, _) = (
        learn_in_every_way(make_agent(learners), 2) for learners in (Shards(NUM_SHARDS), None)
    )
    assert said.keys() == whole_said.keys()
    assert all(tensor.isfinite().all() for tensor in state.values())


def test_learners_with_half_a_batch_each_are_one_with_the_whole():
    learners = [
        OwnBatches(lambda row, gather=gather: torch.stack(gather(row)).mean(0), gather)
        for gather in gathering(2)
    ]
    # Four demonstrations and twelve own rows in each half.
    halves = in_threads(learners, (slice(0, None, 2), slice(1, None, 2)))
    assert same(*halves)
    (said, state), (whole_said, whole) = halves[0], learn_in_every_way(make_agent())
    assert said == pytest.approx(whole_said, rel=1e-3, abs=1e-4)
    assert state["moments.count"] == whole["moments.count"] == 320
    for name, tensor in whole.items():
        torch.testing.assert_close(state[name], tensor, rtol=1e-2, atol=1e-3)
