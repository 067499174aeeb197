"""Who makes an update together: what part of a batch each takes, and what all make of it."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import itemgetter
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from headstart.agents.device import TensorBatch
from headstart.data.batch import Batch, NumpyBatch

Gather = Callable[[Tensor], Tensor]
"""Rows of this process, ``(n, width)``, to those of all, in the order of the processes."""


class Learners(Protocol):
    """One learner or several, who hold the same networks and make the same steps."""

    def parts(self, batch: TensorBatch) -> Sequence[TensorBatch]:
        """Return the parts of a batch that this process finds gradients of, each by itself."""

    def mean(self, found: Sequence[Sequence[Tensor]]) -> Sequence[Tensor]:
        """Return the mean of what all have found in their parts; the same bits for all of them.

        Args:
            found: for each part of this process the same tensors, float32.
        """

    def union(self, batch: NumpyBatch) -> NumpyBatch:
        """Return the rows that all learners have drawn, where each draws its own."""


class Shards:
    """A batch in shards of equally many rows, whose gradients are added in a fixed order.

    Which process finds the gradients of which shard changes nothing: one process has the same bits
    as many. One shard is the whole batch, and its bits are those of no shards at all.

    Args:
        count: how many shards; the number of rows must be a multiple of it.
        own: those of this process, all by default; processes have theirs one after the other.
        gather: returns the rows of all processes.
    """

    def __init__(
        self, count: int = 1, own: range | None = None, gather: Gather | None = None
    ) -> None:
        self._count, self._gather = count, gather
        self._own = range(count) if own is None else own

    def parts(self, batch: TensorBatch) -> Sequence[TensorBatch]:
        """Return the shards of this process; each has its share of the demonstrations."""
        if self._count == 1:
            return [batch]
        # Demonstrations are at the end of a batch: neighbouring rows go to different shards.
        return [batch.map(itemgetter(slice(shard, None, self._count))) for shard in self._own]

    def mean(self, found: Sequence[Sequence[Tensor]]) -> Sequence[Tensor]:
        """Return the mean over all shards."""
        if self._count == 1:
            return found[0]
        rows = torch.stack([flattened(each) for each in found])
        if self._gather is not None:
            rows = self._gather(rows)
        total = rows[0]
        for row in rows[1:]:
            total += row
        return like(found[0], total.div_(self._count))

    def union(self, batch: NumpyBatch) -> NumpyBatch:
        """Return the batch: all processes draw the same one."""
        return batch


class OwnBatches:
    """Learners who draw batches of their own, and make every step by the mean of their gradients.

    Args:
        mean: returns the mean of the rows of all learners, ``(width,)`` of each.
        gathered: returns the batches of all learners.
    """

    def __init__(
        self,
        mean: Callable[[Tensor], Tensor],
        gathered: Callable[[NumpyBatch], Sequence[NumpyBatch]],
    ) -> None:
        self._mean, self._gathered = mean, gathered

    def parts(self, batch: TensorBatch) -> Sequence[TensorBatch]:
        """Return the batch."""
        return [batch]

    def mean(self, found: Sequence[Sequence[Tensor]]) -> Sequence[Tensor]:
        """Return the mean over all learners."""
        return like(found[0], self._mean(flattened(found[0])))

    def union(self, batch: NumpyBatch) -> NumpyBatch:
        """Return the rows of all learners, one learner's behind the other's."""
        batches = self._gathered(batch)
        names = [field.name for field in fields(batch)]
        return Batch(*(np.concatenate([getattr(it, name) for it in batches]) for name in names))


def flattened(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors one behind the other as one row: one exchange costs less than many."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def like(tensors: Sequence[Tensor], row: Tensor) -> list[Tensor]:
    """Return what ``flattened`` made a row of, as views of another row."""
    pieces = torch.split(row, [tensor.numel() for tensor in tensors])
    return [piece.view(tensor.shape) for piece, tensor in zip(pieces, tensors, strict=True)]
