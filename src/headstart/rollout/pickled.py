"""A job as bytes, which is what a collector process is sent."""

import pickle

from headstart.errors import InputError
from headstart.rollout.job import EpisodeJob


def pickled(job: EpisodeJob) -> bytes:
    """Return a job as bytes.

    Raises:
        InputError: if its policy is a function or an object that has no bytes: pickle stores
            functions and classes by their names.
    """
    try:
        return pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # Depends on what cannot be pickled, and on Python's version.
        raise InputError(_told(error)) from error


def unpickled(data: bytes) -> EpisodeJob:
    """Return the job that the bytes are of, in the process that is to run it.

    Raises:
        InputError: if a function or class of its policy is not to be had here by its name, as those
            of the script that was started are not.
    """
    try:
        return pickle.loads(data)  # type: ignore[no-any-return]
    except Exception as error:  # Modules are imported here, and may raise anything.
        raise InputError(_told(error)) from error


def _told(error: Exception) -> str:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return (
        f"collectors are other processes, which cannot get this policy ({reason}): it must be "
        f"importable from a module, and no lambda, no local function and nothing of __main__, the "
        f"script itself; or use collectors=0"
    )
