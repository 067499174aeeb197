"""A collector process: jobs come in on its standard input, episodes go out on its output."""

import os
import pickle
import signal
import sys
import threading
import time
import warnings
from functools import partial

from headstart.errors import InputError
from headstart.rollout.pickled import unpickle_job, unpickle_source
from headstart.rollout.worker import Answer, NotBuilt, Worker
from headstart.standard_streams import open_standard_streams


def main() -> None:
    """Run jobs until the input ends, which it does also when the parent dies.

    What comes in first is the description of the environment, and what goes out first is why it
    cannot be built here, or else ``None``. With each answer goes the processor time so far.
    """
    # Ctrl-C goes to the whole terminal group; when to stop is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    open_standard_streams()
    answers = os.fdopen(os.dup(1), "wb")
    # An environment that prints must not print into the answers.
    os.dup2(2, 1)
    try:
        built = open_worker(pickle.load(sys.stdin.buffer))
        answer: Answer | None = None if isinstance(built, Worker) else built
        while True:
            said = answer, time.process_time()
            pickle.dump(said, answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()
            if not isinstance(built, Worker):
                return
            data = pickle.load(sys.stdin.buffer)
            answer = built.run(partial(unpickle_job, data))
    except (EOFError, pickle.UnpicklingError):
        # The parent has died, perhaps during a job.
        return
    except BrokenPipeError:
        # The parent has died, and no process reads the answer.
        os._exit(1)


def open_worker(source: bytes) -> Worker | InputError | NotBuilt:
    """Return what runs jobs in this process, or why its environment cannot be built here.

    Args:
        source: the environment, as ``pickle_source`` returned it.
    """
    try:
        with warnings.catch_warnings():
            # What a module warns of when it is imported, the parent has warned of.
            warnings.simplefilter("ignore")
            return Worker(unpickle_source(source))
    except InputError as error:
        return error
    except Exception as error:
        reason = (str(error) or "no message").splitlines()[0]
        return NotBuilt(f"{type(error).__name__}: {reason}")


def end_with(parent: int) -> None:
    """End during an episode too, which may hang, when the parent has ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
