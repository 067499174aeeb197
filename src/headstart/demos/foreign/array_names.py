"""What the arrays of a file of demonstrations are called, by all who write such files."""

from collections.abc import Iterable, Mapping

_SPELLINGS = {
    "observations": ("observations", "observation", "obs", "o", "states", "state"),
    "achieved_goals": ("achieved_goals", "achieved_goal", "achieved", "ag"),
    "desired_goals": ("desired_goals", "desired_goal", "desired", "goals", "goal", "dg", "g"),
    "actions": ("actions", "action", "acts", "act", "acs", "u", "a"),
    "next_observations": ("next_observations", "next_observation", "next_obs", "obs_next", "o_2"),
    "next_achieved_goals": ("next_achieved_goals", "next_achieved_goal", "next_ag", "ag_next",
                            "ag_2"),
    "success": ("is_success", "success", "successes", "info_is_success", "info_success"),
    "terminated": ("terminated", "terminations", "termination", "terminals", "terminal"),
    "truncated": ("truncated", "truncations", "truncation", "timeouts", "timeout"),
    "done": ("dones", "done", "d"),
    "lengths": ("episode_lengths", "episode_length", "episode_steps", "ep_lengths", "ep_len",
                "lengths", "length", "traj_lengths"),
    "ends": ("episode_ends", "ep_ends", "ends"),
    "starts": ("episode_starts", "ep_starts", "starts"),
}  # fmt: skip
"""Each part of a demonstration with its spellings: of HER buffers (``o``, ``u``, ``g``, ``ag``), of
D4RL (``terminals``, ``timeouts``), and of others. The first that a file has counts."""
NEEDED = ("observations", "actions", "achieved_goals", "desired_goals")


def find_names(names: Iterable[str], reward_info_keys: Iterable[str] = ()) -> dict[str, str]:
    """Return which array of a file is which part of its demonstrations.

    Args:
        names: of all arrays, such as ``"observations/achieved_goal"`` or ``"ag"``.
        reward_info_keys: what the reward reads besides the goals.

    Returns:
        The names by part; parts that the file lacks are left out. Of what the reward reads the
        part is called ``"info_"`` and then as the reward calls it.
    """
    plain = {_plain(name): name for name in names}
    wanted: Mapping[str, tuple[str, ...]] = _SPELLINGS | {
        f"info_{key}": (f"info_{key}".lower(), key.lower()) for key in reward_info_keys
    }
    found = {}
    for part, spellings in wanted.items():
        spelling = next((spelling for spelling in spellings if spelling in plain), None)
        if spelling is not None:
            found[part] = plain[spelling]
    return found


def has_goals(names: Iterable[str]) -> bool:
    """Return whether arrays of these names hold goals side by side with the observations."""
    return "achieved_goals" in find_names(names)


def _plain(name: str) -> str:
    """Return a name in small letters, without the folder that a dict of observations makes."""
    folder, slash, last = name.lower().replace(".", "/").rpartition("/")
    if not slash:
        return last
    if folder.startswith("next"):
        return f"next_{last}"
    return f"info_{last}" if folder.startswith("info") else last
