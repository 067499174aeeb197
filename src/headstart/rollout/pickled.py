"""What collector processes are sent, as bytes: environments, policies and jobs."""

import contextlib
import io
import pickle
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import cloudpickle
import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, load_env_creator

from headstart.envs import robotics
from headstart.envs.source import EnvSource
from headstart.errors import InputError
from headstart.policy import Policy
from headstart.rollout.job import Behaviour, Constant, EpisodeJob
from headstart.rollout.steps import Observation

_MAX_POLICY_BYTES = 256 * 2**20
_SCRIPT, _CHILD = "__main__", "__mp_main__"
"""What Python calls the script, in its own process and in those of ``multiprocessing``."""


def pickle_source(source: EnvSource) -> bytes:
    """Return the description of an environment, and what is registered here, as bytes.

    Functions and classes of the script or notebook itself are pickled by value, others by name.

    Raises:
        InputError: if the environment cannot be pickled.
    """
    called = f"environment {source.name!r}"
    if isinstance(source.origin, gym.Env):
        raise InputError(
            f"collectors are other processes, which cannot get {called}: neither its spec nor a "
            f"pickled copy gives the same environment; pass a class or a function that builds it, "
            f"or use collectors=0"
        )
    script = sys.modules.get(_CHILD)
    if script is not None:
        # A script that multiprocessing has imported again: no other process can import it.
        cloudpickle.register_pickle_by_value(script)
    specs = gym.registry.values()
    registered = [content for spec in specs if (content := _content(_later(spec))) is not None]
    named = {point: _content(it) for spec in specs for point, it in _of_script(spec)}
    try:
        if isinstance(source.origin, EnvSpec):
            named |= {point: cloudpickle.dumps(it) for point, it in _of_script(source.origin)}
        described = cloudpickle.dumps(source)
    except Exception as error:  # Depends on what cannot be pickled.
        raise InputError(_refusal(called, error)) from error
    return pickle.dumps((called, registered, named, described))


def unpickle_source(data: bytes) -> EnvSource:
    """Return the description of an environment, and register what was registered where it is from.

    Raises:
        InputError: if a module that it needs cannot be imported here.
    """
    called, registered, named, described = pickle.loads(data)
    try:
        source: EnvSource = pickle.loads(described)
    except Exception as error:  # Modules are imported here, and may raise anything.
        raise InputError(_refusal(called, error)) from error
    for point, content in named.items():
        module, _, name = point.partition(":")
        script = sys.modules.setdefault(module, types.ModuleType(module))
        for value in _load(content):
            setattr(script, name, value)
    # Last, since the modules that were imported may register too.
    gym.registry.update({spec.id: spec for content in registered for spec in _load(content)})
    if not isinstance(source.origin, str | EnvSpec) and "FetchReach-v4" in gym.registry:
        # A function may build a robot task; importing them otherwise prints.
        robotics.register()
    return source


def copies_of(policy: Behaviour) -> Callable[[], Behaviour]:
    """Return a function whose every result is a copy of the policy as it is now.

    So that what a demonstrator remembers of one episode is not there in the next. One that cannot
    be pickled is returned itself.
    """
    # These remember nothing.
    if type(policy) in (Policy, Constant):
        return lambda: policy
    try:
        content = pickle_policy(policy)
    except InputError:
        return lambda: policy
    return lambda: pickle.loads(content)


def copy_jobs(jobs: Sequence[EpisodeJob]) -> list[Callable[[], EpisodeJob]]:
    """Return for each job a function whose every result has a copy of its policy as it is now."""
    copies: dict[int, Callable[[], Behaviour]] = {}
    for job in jobs:
        if id(job.policy) not in copies:
            copies[id(job.policy)] = copies_of(job.policy)

    def copy(job: EpisodeJob) -> EpisodeJob:
        return replace(job, policy=copies[id(job.policy)]())

    return [partial(copy, job) for job in jobs]


def pickle_policies(jobs: Sequence[EpisodeJob]) -> dict[int, bytes | InputError]:
    """Return the policies of jobs as bytes by ``id(job.policy)``, or why one cannot be pickled."""
    policies: dict[int, bytes | InputError] = {}
    for job in jobs:
        if id(job.policy) not in policies:
            try:
                policies[id(job.policy)] = pickle_policy(job.policy)
            except InputError as error:
                policies[id(job.policy)] = error
    return policies


def pickle_policy(policy: Behaviour) -> bytes:
    """Return a policy as bytes.

    Raises:
        InputError: if it cannot be pickled, or is too large.
    """
    file = _Limited()
    try:
        cloudpickle.dump(policy, file)
    except Exception as error:  # Depends on what cannot be pickled.
        raise InputError(_refusal("this policy", error)) from error
    return file.getvalue()


def pickle_job(job: EpisodeJob, policy: bytes) -> bytes:
    """Return a job as bytes, with its policy as ``pickle_policy`` returned it."""
    return join_job(pickle_bare_job(job), policy)


def pickle_bare_job(job: EpisodeJob) -> bytes:
    """Return a job as bytes without its policy, which many jobs share."""
    return pickle.dumps(replace(job, policy=_absent), protocol=pickle.HIGHEST_PROTOCOL)


def join_job(bare: bytes, policy: bytes) -> bytes:
    """Return what ``pickle_job`` returns, from a job without its policy and that policy."""
    return pickle.dumps((bare, policy), protocol=pickle.HIGHEST_PROTOCOL)


def unpickle_job(data: bytes) -> EpisodeJob:
    """Return the job that the bytes are of, in the process that is to run it.

    Raises:
        InputError: if a module that its policy needs cannot be imported here.
    """
    bare, policy = pickle.loads(data)
    job = pickle.loads(bare)
    try:
        whole: EpisodeJob = replace(job, policy=pickle.loads(policy))
    except Exception as error:  # Modules are imported here, and may raise anything.
        raise InputError(_refusal("this policy", error)) from error
    return whole


class _Limited(io.BytesIO):
    """Bytes that refuse to become too many: a policy may hold a replay buffer of gigabytes."""

    def write(self, content: Any) -> int:
        if self.tell() + memoryview(content).nbytes > _MAX_POLICY_BYTES:
            raise MemoryError(f"it takes more than {_MAX_POLICY_BYTES // 2**20} MiB")
        return super().write(content)


def _absent(observation: Observation) -> Any:
    """Stand in for a policy that is sent beside its job."""
    raise AssertionError


class _Later:
    """A function or class that is unpickled when it is needed: its module may be slow to import."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @cached_property
    def _called(self) -> Any:
        return pickle.loads(self._content)

    def __call__(self, **options: Any) -> gym.Env[Any, Any]:
        env: gym.Env[Any, Any] = self._called(**options)
        return env

    @property
    def metadata(self) -> Any:
        """What Gymnasium reads of a class before it builds one."""
        return self._called.metadata


def _later(spec: EnvSpec) -> EnvSpec:
    """Return a registration whose environment is imported only to be built."""
    point = spec.entry_point
    if not callable(point) or (content := _content(point)) is None:
        return spec
    return replace(spec, entry_point=_Later(content))


def _of_script(spec: EnvSpec) -> Iterator[tuple[str, Any]]:
    """Yield what a registration and its wrappers name of the script itself, with the name."""
    for point in (spec.entry_point, *(it.entry_point for it in spec.additional_wrappers)):
        if isinstance(point, str) and point.partition(":")[0] in (_SCRIPT, _CHILD):
            # It may not be there any more.
            with contextlib.suppress(AttributeError):
                yield point, load_env_creator(point)


def _content(value: Any) -> bytes | None:
    try:
        return bytes(cloudpickle.dumps(value))
    except Exception:  # Depends on what cannot be pickled.
        return None


def _load(content: bytes | None) -> Iterator[Any]:
    """Yield what the bytes are of, unless a module that it needs cannot be imported here."""
    if content is not None:
        with contextlib.suppress(Exception):  # Modules are imported here, and may raise anything.
            yield pickle.loads(content)


def _refusal(called: str, error: Exception) -> str:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return f"collectors are other processes, which cannot get {called} ({reason}); use collectors=0"
