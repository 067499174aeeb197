"""Stable-Baselines3's SAC learns FetchPickAndPlace-v4 from a headstart demo file.

Run ``python examples/sb3_pick_and_place.py``; it needs ``pip install -e '.[sb3]'`` and takes
some ten minutes; ``benchmarks/sb3_curve.py`` draws its curve.
"""

from pathlib import Path

from stable_baselines3 import SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import headstart as hs
from headstart.demos.experts import expert_for
from headstart.integrations.sb3 import DemoHerReplayBuffer


def demo_file(path, env_id, episodes):
    """Record demonstrations, as ``headstart demos collect`` does, unless they are there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        hs.save_demos(path, hs.collect_demos(env_id, expert_for(env_id), episodes=episodes))
    return path


def main(
    env_id="FetchPickAndPlace-v4",
    env_steps=15_000,
    demos=Path("runs/sb3-demos.npz"),
    num_demos=100,
    episodes=100,
):
    """Train, and return the greedy success rate."""
    # The inputs of Fetch are metres that differ by centimetres.
    env = VecNormalize(DummyVecEnv([lambda: hs.make_env(env_id)]), norm_reward=False, clip_obs=5.0)
    model = SAC(
        "MultiInputPolicy",
        env,
        replay_buffer_class=DemoHerReplayBuffer,
        replay_buffer_kwargs={
            "demos": demo_file(demos, env_id, num_demos),
            "demo_fraction": 0.5,
            "relabel_fraction": 0.8,
        },
        learning_rate=1e-3,
        learning_starts=min(1000, env_steps // 2),
        batch_size=256,
        gamma=0.95,
        tau=0.05,
        ent_coef=0.05,
        policy_kwargs={"net_arch": [256, 256, 256]},
        seed=0,
        device="cpu",
        verbose=1,
    )
    model.learn(env_steps, log_interval=20)

    def greedy(observation):
        return model.predict(env.normalize_obs(observation), deterministic=True)[0]

    return hs.evaluate(greedy, env_id, episodes=episodes).success_rate


if __name__ == "__main__":
    print(f"success rate {main():.0%}")
