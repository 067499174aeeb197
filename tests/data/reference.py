"""What replay and relabelling should do, written for obviousness: lists, loops, one row at a time.

Every vector of a coded episode starts with a number that no other vector shares, so anything that
was stored, drawn or relabelled can be traced back to its episode and step.
"""

from dataclasses import dataclass

import numpy as np

from headstart.data.episode import Episode

STATES = 100  # More states than any episode here has.
ODD_NUMBERS = np.array([-0.0, 1e-45, 1e15], np.float32)


@dataclass(frozen=True)
class Widths:
    observation: int = 1
    goal: int = 1
    action: int = 1
    info: int = 0


def coded_episode(number, steps, *, widths=Widths(), ends="never") -> Episode:
    """Episode ``number``; ``ends`` says which steps are terminated."""
    rng = np.random.default_rng(number)

    def coded(codes, width):
        array = rng.standard_normal((len(codes), width)).astype(np.float32)
        is_odd = rng.random(array.shape) < 0.2
        array[is_odd] = rng.choice(ODD_NUMBERS, is_odd.sum())
        array[:, :1] = np.reshape(codes, (-1, 1))
        return array

    states = STATES * number + np.arange(steps + 1)
    observations = coded(states, widths.observation)
    achieved_goals = coded(states + 0.25, widths.goal)
    desired_goals = coded([-1 - number], widths.goal).repeat(steps, axis=0)
    reward_infos = coded(states[:-1] + 0.75, widths.info)
    _, reached = coded_reward(achieved_goals[1:], desired_goals, reward_infos)
    reached = reached == 1.0
    is_last = np.arange(steps) == steps - 1
    return Episode(
        observations=observations,
        achieved_goals=achieved_goals,
        desired_goals=desired_goals,
        actions=coded(states[:-1] + 0.5, widths.action),
        terminated={
            "never": np.zeros(steps, bool),
            "at the goal": reached,
            "at the goal or the last step": reached | is_last,
            "anywhere": rng.random(steps) < 0.5,
        }[ends],
        is_success=reached,
        reward_infos=reward_infos,
    )


def decode(observation):
    """The episode's number and the state's index, of one observation or of many."""
    return np.divmod(observation[..., 0].astype(int), STATES)


def reaches(achieved, desired, info) -> bool:
    """Whether a coded goal counts as reached: one in five is; the two are not interchangeable."""
    return (int(achieved[0]) + 3 * int(desired[0]) + sum(int(code) for code in info[:1])) % 5 == 0


def reward_of(achieved, desired, info) -> float:
    """A reward that hardly any other goals and info share."""
    return (
        float(achieved[0]) - 2.0 * float(desired[0]) + 4.0 * sum(float(code) for code in info[:1])
    )


def coded_reward(achieved_goal, desired_goal, reward_info):
    """Reward and termination of many rows, one after the other."""
    rows = list(zip(achieved_goal, desired_goal, reward_info, strict=True))
    reward = [reward_of(*row) for row in rows]
    terminated = [reaches(*row) for row in rows]
    return np.array(reward, np.float32), np.array(terminated, np.float32)


def same_bits(first, second) -> bool:
    """Whether two float32 arrays are equal to the last bit: 0 and -0 are not."""
    first, second = np.asarray(first), np.asarray(second)
    return (
        first.dtype == second.dtype == np.float32
        and first.shape == second.shape
        and first.tobytes() == second.tobytes()
    )


class SlowReplay:
    """The stored episodes: a list that is searched from the front."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.cursor = 0
        self.placed = []  # (number, rows, episode), oldest first

    def add(self, number, episode):
        num_rows = len(episode) + 1
        start = self.cursor if self.cursor + num_rows <= self.capacity else 0
        rows = range(start, start + num_rows)
        while any(set(rows) & set(taken) for _, taken, _ in self.placed):
            self.placed.pop(0)
        self.placed.append((number, rows, episode))
        self.cursor = start + num_rows

    @property
    def episodes(self) -> dict[int, Episode]:
        return {number: episode for number, _, episode in self.placed}

    def transitions(self):
        """Row, episode number and step of each, in the order of the rows."""
        return sorted(
            (row, number, step)
            for number, rows, _ in self.placed
            for step, row in enumerate(rows[:-1])
        )

    def allowed_goals(self, strategy, number, step):
        """Every goal that a transition may get from a strategy, one a row."""
        achieved_goals = self.episodes[number].achieved_goals
        match strategy:
            case "future" | "moved":
                return achieved_goals[step + 1 :]
            case "final":
                return achieved_goals[-1:]
            case "episode":
                return achieved_goals[1:]
            case "random":
                return np.concatenate(
                    [other.achieved_goals[1:] for other in self.episodes.values()]
                )
            case "first":
                return achieved_goals[:1]
            case "halfway":
                halfway = 0.5 * (achieved_goals[step] + self.episodes[number].desired_goals[step])
                return halfway[None]


def expected_reward(episode, step, goal) -> float:
    """What a transition earns under the goal that it ends up with."""
    return reward_of(episode.achieved_goals[step + 1], goal, episode.reward_infos[step])


def expected_end(episode, step, goal) -> bool:
    """Whether a transition ends the bootstrap under the goal that it ends up with.

    It is the same for a goal that is the episode's own and for a substitute: one target.
    """
    stored = bool(episode.terminated[step])
    achieved, info = episode.achieved_goals[step + 1], episode.reward_infos[step]
    ended_otherwise = stored and not reaches(achieved, episode.desired_goals[step], info)
    return reaches(achieved, goal, info) or ended_otherwise
