"""An environment of one's own: an arm of two links puts its fingertip on a point.

Run ``python examples/own_environment.py``; it takes half a minute and ends above 90%. Or, from the
root of this repository, ``headstart train examples.own_environment:Arm-v0``.
"""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

import headstart as hs


class Arm(gym.Env):
    """Two links of length 0.5. An action turns the joints, by up to 0.3 rad; a goal is a point."""

    def __init__(self):
        four, two = spaces.Box(-1.0, 1.0, (4,)), spaces.Box(-1.0, 1.0, (2,))
        self.observation_space = spaces.Dict(observation=four, achieved_goal=two, desired_goal=two)
        self.action_space = spaces.Box(-0.3, 0.3, (2,))

    def reset(self, *, seed=None, options=None):
        """Draw the joints, and other joints whose fingertip is the goal."""
        super().reset(seed=seed)
        self.joints, goal = self.np_random.uniform([-1.5, 0.0], [1.5, 2.5], (2, 2))
        self.goal = self._fingertip(goal)
        return self._observe(), {}

    def step(self, action):
        """Turn the joints."""
        self.joints = self.joints + action
        reward = float(self.compute_reward(self._fingertip(self.joints), self.goal, {}))
        return self._observe(), reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(self, achieved_goal, desired_goal, info):
        """Return 0 within 0.1 of the goal and -1 elsewhere, for one goal or for many."""
        return -1.0 * (np.linalg.norm(achieved_goal - desired_goal, axis=-1) > 0.1)

    def _fingertip(self, joints):
        return 0.5 * np.array([of(np.cumsum(joints)).sum() for of in (np.cos, np.sin)])

    def _observe(self):
        joints = np.append(np.cos(self.joints), np.sin(self.joints))
        tip = self._fingertip(self.joints)
        return {"observation": joints, "achieved_goal": tip, "desired_goal": self.goal}


gym.register("Arm-v0", entry_point=Arm, max_episode_steps=20)


def main(env_steps=3000):
    """Check the environment, train, and return the success rate."""
    print("problems:", *hs.check_env("Arm-v0").problems or ["none found"])
    return hs.train("Arm-v0", hs.TrainConfig(env_steps=env_steps)).evaluation.success_rate


if __name__ == "__main__":
    print(f"success rate {main():.0%}")
