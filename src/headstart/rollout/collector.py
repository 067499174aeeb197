"""A collector process: jobs come in on its standard input, episodes go out on its output."""

import os
import pickle
import signal
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from headstart.data.episode import Episode
from headstart.envs.make import make_env
from headstart.errors import InputError, RunError
from headstart.rollout.failure import Failure
from headstart.rollout.job import run_episode
from headstart.rollout.pickled import unpickle_job, unpickle_source
from headstart.standard_streams import open_standard_streams


@dataclass(frozen=True)
class NotBuilt:
    """Why the environment cannot be built in this process."""

    reason: str


Answer = Episode | InputError | RunError | NotBuilt | Failure
"""An episode, or why there is none: an error that comes again, or what may not."""


def main() -> None:
    """Run jobs until the input ends, which it does also when the parent dies.

    What comes in first is the description of the environment, and what goes out first is why it
    cannot be built here, or else ``None``. With each answer goes the processor time so far.
    """
    # Ctrl-C goes to the whole terminal group; when to stop is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    open_standard_streams()
    answers = os.fdopen(os.dup(1), "wb")
    # An environment that prints must not print into the answers.
    os.dup2(2, 1)
    try:
        built = _build(pickle.load(sys.stdin.buffer))
        answer: Answer | None = None if isinstance(built, gym.Env) else built
        while True:
            said = answer, time.process_time()
            pickle.dump(said, answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()
            if not isinstance(built, gym.Env):
                return
            answer = _answer(built, pickle.load(sys.stdin.buffer))
    except (EOFError, pickle.UnpicklingError):
        # The parent has died, perhaps during a job.
        return
    except BrokenPipeError:
        # The parent has died, and no process reads the answer.
        os._exit(1)


def _build(data: bytes) -> gym.Env[Any, Any] | InputError | NotBuilt:
    try:
        with warnings.catch_warnings():
            # What a module warns of when it is imported, the parent has warned of.
            warnings.simplefilter("ignore")
            return make_env(unpickle_source(data))
    except InputError as error:
        return error
    except Exception as error:
        reason = (str(error) or "no message").splitlines()[0]
        return NotBuilt(f"{type(error).__name__}: {reason}")


def _answer(env: gym.Env[Any, Any], data: bytes) -> Answer:
    try:
        return run_episode(env, unpickle_job(data))
    except (InputError, RunError) as error:
        return error
    except (Exception, SystemExit) as error:
        return Failure.of(error)


def _end_with(parent: int) -> None:
    """End during an episode too, which may hang, when the parent has ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
