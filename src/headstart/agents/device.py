"""Where an agent computes, and how arrays get there: nothing else moves any."""

from dataclasses import fields

import numpy as np
import torch
from torch import Tensor

from headstart.agents.config import DeviceName
from headstart.data.batch import Batch, NumpyBatch
from headstart.errors import InputError

TensorBatch = Batch[Tensor]


def find_device(name: DeviceName) -> torch.device:
    """Return the device of a name; ``auto`` is the CPU.

    Raises:
        InputError: if this machine has none of that name.
    """
    if name != "cuda":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        built = torch.version.cuda is not None
        reason = (
            "torch sees no GPU here"
            if built
            else f"torch {torch.__version__} is built without CUDA"
        )
        raise InputError(f"device cuda: {reason}; --device cpu trains without one")
    return torch.device("cuda")


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the host on a device: itself on the CPU, elsewhere a copy under way."""
    if device.type == "cpu":
        return tensor
    # From pinned memory: a copy from any other waits until all that was asked for before is done.
    return tensor.pin_memory().to(device, non_blocking=True)


def send_batch(batch: NumpyBatch, device: torch.device) -> TensorBatch:
    """Return a batch as tensors on a device.

    On the CPU they share its memory. Elsewhere they are views of one copy, but for ``source``,
    which stays on the host: whether a batch holds demonstrations is then known without waiting.
    """
    if device.type == "cpu":
        return batch.map(torch.from_numpy)
    columns = [np.asarray(getattr(batch, field.name), np.float32) for field in fields(batch)]
    block = np.concatenate([column.reshape(len(batch), -1) for column in columns], axis=1)
    widths = [column.size // len(batch) for column in columns]
    parts = torch.split(send(torch.from_numpy(block), device), widths, dim=1)
    moved = {
        field.name: part if column.ndim == 2 else part[:, 0]
        for field, part, column in zip(fields(batch), parts, columns, strict=True)
    }
    return Batch(**{**moved, "source": torch.from_numpy(columns[-1])})
