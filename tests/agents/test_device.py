"""Where an agent computes."""

import numpy as np
import pytest
import torch
from builders import is_one_line, random_batch
from small_runs import POINT, SMALL, weights_of

from headstart.agents.config import DDPGConfig
from headstart.agents.ddpg import DDPG
from headstart.agents.device import find_device, send_batch
from headstart.agents.state import agent_state, load_agent_state
from headstart.data.inputs import InputMap
from headstart.errors import InputError
from headstart.runs.resume import resume
from headstart.runs.train import train

SIZES = {"observation_dim": 4, "goal_dim": 2, "action_dim": 3}
HAS_GPU = torch.cuda.is_available()
on_gpu = pytest.mark.skipif(not HAS_GPU, reason="needs a GPU that torch sees")


def make_agent(**options):
    return DDPG(
        DDPGConfig(hidden_sizes=(32, 32), q_filter_from=0),
        observation_dim=SIZES["observation_dim"],
        goal_dim=SIZES["goal_dim"],
        action_low=[-1.0] * 3,
        action_high=[1.0] * 3,
        reward_range=(-1.0, 0.0),
        seed=0,
        **options,
    )


def batch_of(number, num_demos=8):
    return random_batch(np.random.default_rng(number), 32, **SIZES, num_demos=num_demos)


def learn(agent, batches):
    """Take batches into account in every way there is."""
    for batch in batches:
        agent.observe(batch)
        sent = send_batch(batch, agent.device)
        agent.clone(sent)
        agent.update_critics(sent)
        metrics = agent.update(sent)
    return {name: float(value) for name, value in metrics.items()}


def difference(one, other):
    pairs = zip(agent_state(one).items(), agent_state(other).values(), strict=True)
    return max(float((a - b).abs().max()) for (name, a), b in pairs if "moments" not in name)


def test_auto_is_the_cpu_and_batches_share_their_memory_there():
    assert find_device("auto") == find_device("cpu") == torch.device("cpu")
    batch = batch_of(0)
    assert np.shares_memory(send_batch(batch, torch.device("cpu")).action.numpy(), batch.action)


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_in_one_line():
    with pytest.raises(InputError, match=r"device cuda: .*; --device cpu trains") as caught:
        train(POINT, {"device": "cuda"})
    assert is_one_line(str(caught.value))


@on_gpu
@pytest.mark.parametrize("num_demos", [0, 8])
@pytest.mark.parametrize("seen", ["all", "less"])
def test_a_gpu_learns_the_same_up_to_rounding(num_demos, seen):
    batches = [batch_of(number, num_demos) for number in range(20)]
    inputs = None if seen == "all" else InputMap(((0, -1), (7, 5), (6, 0)), 4, 2, scales=(3.0,))
    agents = [make_agent(device=name, actor_inputs=inputs) for name in ("cpu", "cuda")]
    (here, there) = (learn(agent, batches) for agent in agents)
    assert here == pytest.approx(there, rel=1e-2, abs=1e-2)
    assert difference(*agents) < 1e-2
    assert ("bc_loss" in there) == (num_demos > 0)
    again = make_agent(device="cuda", actor_inputs=inputs)
    load_agent_state(again, agent_state(agents[0]))
    assert difference(again, agents[0]) == 0.0
    np.testing.assert_array_equal(
        weights_of(again.policy(deployed=False)), weights_of(agents[0].policy(deployed=False))
    )


@on_gpu
def test_no_update_waits_for_the_gpu():
    agent = make_agent(device="cuda")
    learn(agent, [batch_of(0)])
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for number in range(3):
            sent = send_batch(batch_of(number), agent.device)
            agent.clone(sent)
            agent.update_critics(sent)
            agent.update(sent)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@on_gpu
def test_a_run_continues_on_the_other_device(tmp_path, caplog, point_demos):
    short = SMALL.with_({"env_steps": 120})
    train(POINT, short.with_(device="cuda"), demos=point_demos, out=tmp_path / "run")
    for env_steps, device in ((180, "cpu"), (240, "cuda")):
        changes = {"env_steps": env_steps, "device": device}
        result = resume(tmp_path / "run", changes)
        assert result.progress.env_steps == env_steps
        assert "on another device, not to the same bits" in caplog.text
        caplog.clear()
