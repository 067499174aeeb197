"""The processes of one run under torchrun; nothing else of the library knows torch.distributed.

Every method is called by all processes, in the same order: a call waits for the others. Quirks:

- A process that dies makes the calls of the others fail at once, one that hangs after a time.
- A sum over processes (``all_reduce``) has the same bits for all of them and at every repetition,
  but other bits for another number of processes. What must not depend on it is gathered, in the
  order of the processes, and added here.
- torchrun keeps its store when it starts a run again: without a prefix of their own some processes
  would find the addresses of those that have died.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor

from headstart import torchrun
from headstart.agents.learners import Learners, OwnBatches, Shards
from headstart.errors import InputError, RunError, SharedInputError
from headstart.training.config import LearnerConfig

T = TypeVar("T")
_PATIENCE = timedelta(minutes=30)
"""How long a process waits for one that does not answer; one that dies is noticed at once."""

_MEETING = timedelta(minutes=5)
"""How long they look for one another."""


class Group:
    """The processes of a run; by default this one alone, which waits for nobody.

    Args:
        rank, size: see below.
        by_host: whether tensors of GPUs are exchanged through the memory of the host.

    Attributes:
        rank: the number of this process; the first one, 0, writes the run.
        size: how many there are.
    """

    def __init__(self, rank: int = 0, size: int = 1, *, by_host: bool = True) -> None:
        self.rank, self.size, self._by_host = rank, size, by_host

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run."""
        return self.rank == 0

    def gathered(self, value: T) -> list[T]:
        """Return a value of each process."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        with _explained():
            torch.distributed.all_gather_object(values, value)
        return values

    def to_first(self, value: T) -> list[T]:
        """Return in the first process a value of each; nothing in the others."""
        if self.size == 1:
            return [value]
        values: list[Any] | None = [None] * self.size if self.is_first else None
        with _explained():
            torch.distributed.gather_object(value, values)
        return values or []

    def from_first(self, do: Callable[[], T]) -> T:
        """Return to all what the first process gets from a function that it alone calls.

        Raises:
            InputError: to all, if it does so there.
        """
        if self.size == 1:
            return do()
        said: list[Any] = [None]
        if self.is_first:
            try:
                said = [do()]
            except InputError as error:
                said = [SharedInputError(str(error))]
        with _explained():
            torch.distributed.broadcast_object_list(said, src=0)
        if isinstance(said[0], SharedInputError):
            raise said[0]
        value: T = said[0]
        return value

    def at_first(self, do: Callable[[], T]) -> T | None:
        """Have the first process alone call a function, and return there what it returns.

        Raises:
            InputError: to all, if it does so there.
        """
        found: list[T] = []
        self.from_first(lambda: found.append(do()))
        return found[0] if found else None

    def any_of(self, *flags: bool) -> list[bool]:
        """Return for each flag whether it is up in any process."""
        if self.size == 1:
            return [*flags]
        numbers = torch.tensor(flags, dtype=torch.int32)
        with _explained():
            torch.distributed.all_reduce(numbers, torch.distributed.ReduceOp.MAX)
        return [bool(number) for number in numbers]

    def rows(self, own: Tensor) -> Tensor:
        """Return the rows of all processes, ``(n, width)`` of each, in their order."""
        sent = own.cpu() if self._by_host else own
        gathered = sent.new_empty((self.size, *own.shape))
        with _explained():
            torch.distributed.all_gather([*gathered], sent)
        return gathered.flatten(0, 1).to(own.device)

    def mean(self, row: Tensor) -> Tensor:
        """Return the mean of the rows of all processes, ``(width,)`` of each."""
        total = row.cpu() if self._by_host else row
        with _explained():
            torch.distributed.all_reduce(total)
        return total.div_(self.size).to(row.device)

    def learners(self, config: LearnerConfig) -> Learners:
        """Return what the processes make of every batch.

        Raises:
            InputError: if they cannot have equally many shards of it.
        """
        shards = config.shards
        if self.size == 1:
            return Shards(shards)
        if config.mode == "per-process":
            return OwnBatches(self.mean, self.gathered)
        if shards % self.size:
            raise SharedInputError(
                f"{self.size} processes cannot share learner.shards {shards}: it must be a "
                f"multiple of {self.size} (--learner.shards {self.size})"
            )
        share = shards // self.size
        own = range(self.rank * share, (self.rank + 1) * share)
        return Shards(shards, own, self.rows)


ALONE = Group()


@contextlib.contextmanager
def joined() -> Iterator[Group]:
    """Yield the processes that torchrun has started with this one, or this one alone.

    Raises:
        RunError: if they do not find one another.
    """
    if not torchrun.is_used():
        yield ALONE
        return
    # Here: where torch has no distributed there is no torchrun.
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    num_gpus = torch.cuda.device_count()
    if num_gpus:
        torch.cuda.set_device(torchrun.local_rank() % num_gpus)
    # NCCL refuses two processes on one GPU.
    has_own = num_gpus >= torchrun.local_size() and torch.distributed.is_nccl_available()
    backend = "cpu:gloo,cuda:nccl" if has_own else "gloo"
    with _explained("the processes of this run do not find one another"):
        shared, rank, size = next(rendezvous("env://", timeout=_MEETING))
        store = PrefixStore(f"start {torchrun.restarts()}", shared)
        torch.distributed.init_process_group(
            backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE
        )
    yield Group(rank, size, by_host=not has_own)
    # Not after a failure: nobody may be there to take leave of.
    torch.distributed.destroy_process_group()


@contextlib.contextmanager
def _explained(
    trouble: str = "another process of this run has ended, and says why, or does not answer",
) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        # Gloo puts a place in its source before it, and advice behind it.
        lines = re.sub(r"\[/\S+\] ", "", str(error)).partition(". This is")[0].splitlines()
        reason = lines[0] if lines else "no message"
        raise RunError(f"{trouble} ({reason})") from error
