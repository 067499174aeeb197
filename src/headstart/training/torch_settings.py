"""PyTorch's process-wide settings, changed for as long as a run lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from headstart.training.config import MatmulPrecision

_NAMES = {"float32": "highest", "bfloat16": "medium"}


@contextmanager
def torch_settings(*, threads: int, matmul_precision: MatmulPrecision) -> Iterator[None]:
    """Use so many threads, and products of such precision; afterwards all is as before.

    With ``bfloat16`` factors are rounded to 8 significant bits and products are summed in float32,
    on processors that can do this; others go on with float32.
    """
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(_NAMES[matmul_precision])
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])
