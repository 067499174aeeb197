"""A collector process: jobs come in on its standard input, episodes go out on its output."""

import os
import pickle
import signal
import sys
import threading
import time
import traceback

from headstart.data.episode import Episode
from headstart.envs.make import make_env
from headstart.errors import InputError, RunError
from headstart.rollout.job import run_episode
from headstart.rollout.pickled import unpickled
from headstart.standard_streams import open_standard_streams

Answer = Episode | InputError | RunError | str
"""An episode, or why there is none: an error that comes again, or a traceback."""


def main(env_id: str) -> None:
    """Run jobs until the input ends, which it does also when the parent dies."""
    # Ctrl-C goes to the whole terminal group; when to stop is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    open_standard_streams()
    answers = os.fdopen(os.dup(1), "wb")
    # An environment that prints must not print into the answers.
    os.dup2(2, 1)
    env = make_env(env_id)
    while True:
        try:
            data = pickle.load(sys.stdin.buffer)
        except (EOFError, pickle.UnpicklingError):
            # The parent has died, perhaps amid a job.
            return
        answer: Answer
        try:
            answer = run_episode(env, unpickled(data))
        except (InputError, RunError) as error:
            answer = error
        except Exception:
            answer = traceback.format_exc()
        try:
            pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()
        except BrokenPipeError:
            # The parent has died, and there is nobody to tell.
            os._exit(1)


def _end_with(parent: int) -> None:
    """End amid an episode too, which may hang, when nobody waits for it any more."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
