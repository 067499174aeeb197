"""Hindsight and demonstrations in your own training loop: DDPG in plain PyTorch on PointReach.

Run ``python examples/own_training_loop.py``; it takes under a minute and ends near 100%.
"""

import copy

import numpy as np
import torch
from torch import nn

import headstart as hs

ENV_ID, DISCOUNT, TAU = "PointReach-v0", 0.95, 0.02


def expert(observation):
    """Go straight to the goal."""
    return np.clip(10.0 * (observation["desired_goal"] - observation["achieved_goal"]), -1.0, 1.0)


def network(inputs, outputs, *last):
    """Build a small network."""
    hidden = (nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
    return nn.Sequential(*hidden, nn.Linear(64, outputs), *last)


def update(batch, nets, targets, optimizers):
    """Take one step of DDPG; the network inputs are the position and the way to the goal."""
    state = torch.cat([batch.observation, batch.desired_goal - batch.achieved_goal], 1)
    after = torch.cat([batch.next_observation, batch.desired_goal - batch.next_achieved_goal], 1)
    (actor, critic), (slow_actor, slow_critic) = nets, targets
    with torch.no_grad():
        value = slow_critic(torch.cat([after, slow_actor(after)], 1))[:, 0]
        target = (batch.reward + DISCOUNT * (1 - batch.terminated) * value).clamp(-20, 0)
    td_error = critic(torch.cat([state, batch.action], 1))[:, 0] - target
    policy_loss = -critic(torch.cat([state, actor(state)], 1)).mean()
    for loss, net in zip((policy_loss, td_error.square().mean()), nets, strict=True):
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        for parameter, gradient in zip(net.parameters(), gradients, strict=True):
            parameter.grad = gradient
    for optimizer, net, slow in zip(optimizers, nets, targets, strict=True):
        optimizer.step()
        for new, old in zip(net.parameters(), slow.parameters(), strict=True):
            old.data.lerp_(new.data, TAU)


def main(num_episodes=150, seed=0):
    """Train, and return the greedy success rate."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    env = hs.make_env(ENV_ID)
    replay = hs.EpisodeReplay(100_000, observation_dim=2, goal_dim=2, action_dim=2)
    good = hs.collect_demos(ENV_ID, expert, episodes=5).episodes
    demos = hs.EpisodeReplay.from_episodes(episode.demonstrated() for episode in good)
    reward = hs.GoalReward(hs.make_env(ENV_ID))
    online = hs.HindsightSampler(replay, reward, relabel_fraction=0.8, rng=rng)
    shown = hs.HindsightSampler(demos, reward, relabel_fraction=0.8, rng=rng)
    sampler = hs.MixedSampler(online=online, demos=shown, demo_fraction=0.125)
    nets = network(4, 2, nn.Tanh()), network(6, 1)
    targets = copy.deepcopy(nets)
    optimizers = [torch.optim.Adam(net.parameters(), 1e-3) for net in nets]

    def act(observation, noise=0.0):
        way = observation["desired_goal"] - observation["achieved_goal"]
        state = torch.tensor(np.concatenate([observation["observation"], way]), dtype=torch.float32)
        action = targets[0](state).detach().numpy() + noise * rng.standard_normal(2)
        return np.clip(action, -1.0, 1.0)

    for index in range(num_episodes):
        job = hs.EpisodeJob(lambda seen: act(seen, noise=0.3), seed, "rollout", index)
        replay.add(hs.run_episode(env, job))
        for _ in range(40):
            update(sampler.sample(128).map(torch.from_numpy), nets, targets, optimizers)
    return hs.evaluate(act, ENV_ID, episodes=100, seed=seed).success_rate


if __name__ == "__main__":
    print(f"success rate {main():.0%}")
