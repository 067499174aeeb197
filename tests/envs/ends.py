"""Small goal environments for tests whose episodes end early, or are said to: some sound."""

from envs.sound import Dense, Reach, distance

from headstart.envs.toy import PointReach


class StopsSilently(Reach):
    """Success ends the episode, and nothing says so."""

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, bool(info["is_success"]), truncated, info


class StopsLate(Reach):
    """The third step in a row at the goal ends the episode."""

    def reset(self, *, seed=None, options=None):
        self._in_a_row = 0
        return super().reset(seed=seed, options=options)

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        self._in_a_row = self._in_a_row + 1 if info["is_success"] else 0
        return observation, reward, self._in_a_row >= 3, truncated, info


class Ending(StopsSilently):
    """Sound: success ends the episode, which is declared."""

    success_terminates = True


class EndingExact(Ending):
    """Sound: the same with a goal that random steps rarely reach."""

    threshold = 0.1


class EndsUnsaid(StopsSilently):
    """Success ends the episode, and ``compute_terminated`` denies it."""

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return False


class EndsDenied(StopsSilently):
    """Success ends the episode, and ``success_terminates`` denies it."""

    success_terminates = False


class OwnEnd(StopsSilently):
    """An end at the goal of the running episode, whatever goal is asked about."""

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return bool(distance(achieved_goal, self._goal) <= self.threshold)


class SaysItEnds(Reach):
    """``compute_terminated`` ends at the goal, and step continues."""

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return bool(distance(achieved_goal, desired_goal) <= self.threshold)


class EndsInBulk(PointReach):
    """Sound: ``compute_terminated`` takes one goal or many."""

    threshold = 0.5

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        ended = self.compute_terminated(self._position, self._goal, info)
        return observation, reward, bool(ended), truncated, info

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return distance(achieved_goal, desired_goal) <= self.threshold


class NeverEnds(SaysItEnds):
    """Sound: declares what overrules its inherited ``compute_terminated``."""

    success_terminates = False


class GoesOn(Reach):
    """Says that success ends the episode, and step continues."""

    success_terminates = True


class DenseEnding(Dense):
    """Success ends the episode, which is declared; but a dense reward does not show where."""

    success_terminates = True

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, bool(info["is_success"]), truncated, info


class FallingSilently(PointReach):
    """The episode ends at the left wall, whatever the goal."""

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, bool(self._position[0] <= -1.0), truncated, info


class Falling(FallingSilently):
    """Sound: the same, with a word that it is not the goal that ends it."""

    success_terminates = False


class CliffReach(FallingSilently):
    """Sound: the episode ends at the left wall, and also at the goal."""

    threshold = 0.5

    def step(self, action):
        observation, reward, fell, truncated, info = super().step(action)
        ended = self.compute_terminated(self._position, self._goal, info)
        return observation, reward, fell or ended, truncated, info

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return bool(distance(achieved_goal, desired_goal) <= self.threshold)
