"""Videos of a policy or of demonstrations, with episode, step and success in the picture."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio.v2 as imageio
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from headstart.data.episode import Episode
from headstart.demos.resets import check_snapshots
from headstart.envs.make import env_source, make_env
from headstart.envs.snapshot import require_restorable
from headstart.envs.source import EnvLike, EnvSource
from headstart.errors import InputError, require
from headstart.files.atomic import replacing
from headstart.files.npz import reason_of
from headstart.files.output import VIDEOS, check_output
from headstart.files.paths import user_path
from headstart.rollout.behaviour import PolicyLike, env_of, fit_behaviour, open_behaviour
from headstart.rollout.job import EVALUATION, EpisodeJob, run_episode
from headstart.rollout.pickled import copies_of
from headstart.viz.gl import select_backend
from headstart.viz.live import Frame, picture

_GREEN, _WHITE = (80, 220, 100), (255, 255, 255)
_LINGER = 12  # frames that the last picture of an episode stays


def record_video(
    policy: PolicyLike,
    env: EnvLike | None = None,
    path: str | Path | None = None,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    episodes: int = 5,
    seed: int = 0,
    frames_per_second: int = 25,
    on_episode: Callable[[Episode], None] | None = None,
) -> float:
    """Record greedy episodes, those that ``evaluate`` runs with the same seed, as a video.

    Args:
        policy: a ``Policy``, an expert or any function of an observation dict, the path of a policy
            file or run directory, or what ``train`` returned.
        env: an environment, its Gymnasium id, its class, or a function that returns one; see
            ``make_env``; the policy's own by default.
        path: ``.mp4`` or ``.gif``; may come second, in place of the environment. The path holds the
            old file or the whole new one, never a part.
        env_kwargs: arguments of the environment, besides those that follow an id;
            ``max_episode_steps`` sets the time limit of any.
        episodes: how many.
        seed: root of the episodes' seeds.
        frames_per_second: speed of playback, one frame per env step.
        on_episode: called with each finished episode.

    Returns:
        The share of episodes that end in success.

    Raises:
        InputError: if there is no OpenGL, or the path cannot be written.
    """
    require(seed >= 0, "seed must not be negative", seed)
    require(episodes >= 1, "episodes must be at least 1", episodes)
    if path is None and isinstance(env, str | Path) and Path(env).suffix.lower() in VIDEOS:
        env, path = None, env
    if path is None:
        raise InputError("record_video needs the path of the video to write, e.g. path='play.mp4'")
    behaviour = open_behaviour(policy)
    source = env_source(env_of(policy, behaviour) if env is None else env, env_kwargs)
    outcomes = []
    with _video(user_path(path), source, frames_per_second) as (drawn, writer):
        copy = copies_of(fit_behaviour(behaviour, drawn))
        for index in range(episodes):
            job = EpisodeJob(copy(), seed, EVALUATION, index)
            episode = _record(drawn, job, f"episode {index + 1}/{episodes}", writer)
            outcomes.append(episode.success)
            if on_episode is not None:
                on_episode(episode)
    return float(np.mean(outcomes))


def record_demos(
    episodes: Sequence[Episode],
    env: EnvLike,
    path: str | Path,
    *,
    frames_per_second: int = 25,
    on_episode: Callable[[Episode], None] | None = None,
) -> None:
    """Record demonstrations as a video, each state exactly as it was, from its snapshot.

    Args:
        episodes: demonstrations with snapshots.
        env: their environment, all that ``make_env`` takes.
        path: ``.mp4`` or ``.gif``; the path holds the old file or the whole new one, never a part.
        frames_per_second: speed of playback, one frame per env step.
        on_episode: called with each finished episode.

    Raises:
        InputError: if there is no OpenGL, the path cannot be written, or the environment cannot go
            to the demonstrations' states.
    """
    check_snapshots(episodes)
    with _video(user_path(path), env_source(env), frames_per_second) as (drawn, writer):
        for number, episode in enumerate(episodes):
            film = Film(drawn, f"demonstration {number + 1}/{len(episodes)}", writer)
            for success in states_of(drawn, episode):
                film.draw(success)
            film.linger()
            if on_episode is not None:
                on_episode(episode)


def states_of(env: gym.Env[Any, Any], episode: Episode) -> Iterator[bool]:
    """Put ``env`` into one state of a demonstration after the other; yield whether it succeeds."""
    env.reset(seed=0)
    simulator = require_restorable(env)
    for snapshot, success in zip(episode.snapshots, [False, *episode.is_success], strict=True):
        simulator.restore_state(snapshot)
        yield bool(success)


@contextmanager
def _video(path: Path, source: EnvSource, frames_per_second: int) -> Iterator[tuple[Any, Any]]:
    """Yield an environment that renders and a writer of frames; keep the file if all goes well."""
    check_output(path, "a video", VIDEOS)
    select_backend()
    env = make_env(source, render_mode="rgb_array")
    try:
        # On their own, writers stay open after an error, and write on when the file is gone.
        with replacing(path) as staged, closing(writer_of(staged, frames_per_second)) as writer:
            yield env, writer
    except OSError as error:
        # What ffmpeg writes has many lines.
        raise InputError(f"{path}: cannot be written ({reason_of(error)})") from error
    finally:
        env.close()


def caption(frame: Frame, line: str, *, success: bool) -> Frame:
    """Return the frame ``(height, width, 3)`` with a line, and success, written at its top."""
    image = Image.fromarray(frame)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(12, image.height // 24))

    def write(place: tuple[int, int], text: str, color: tuple[int, int, int]) -> None:
        draw.text(place, text, fill=color, font=font, stroke_width=2, stroke_fill=(0, 0, 0))

    write((12, 10), line, _WHITE)
    if success:
        write((12, 14 + image.height // 20), "success", _GREEN)
    return np.asarray(image)


def _record(env: gym.Env[Any, Any], job: EpisodeJob, title: str, writer: Any) -> Episode:
    """Run one episode and write a frame for each of its states."""
    film = Film(env, title, writer)
    episode = run_episode(env, job, film.draw)
    film.linger()
    return episode


class Film:
    """Writes the pictures of one episode as they are made: a long one would fill the memory."""

    def __init__(self, env: gym.Env[Any, Any], title: str, writer: Any) -> None:
        self._env = env
        self._title = title
        self._writer = writer
        self._steps = 0
        self._last: Frame | None = None

    def draw(self, success: bool) -> None:
        """Write a picture of the state that the environment is in."""
        line = f"{self._title}   step {self._steps:2d}"
        self._last = caption(picture(self._env), line, success=success)
        self._writer.append_data(self._last)
        self._steps += 1

    def linger(self) -> None:
        """Let the last picture stay for a moment."""
        for _ in range(_LINGER):
            self._writer.append_data(self._last)


def writer_of(path: Path, frames_per_second: int) -> Any:
    """Return what frames are appended to, until it is closed."""
    if path.suffix.lower() == ".gif":
        return imageio.get_writer(path, duration=1000 / frames_per_second, loop=0)
    # Players take any even size; imageio's default of 16 would rescale the picture and warn.
    return imageio.get_writer(path, fps=frames_per_second, macro_block_size=2, quality=8)
