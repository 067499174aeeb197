"""Whether products of float32 are made of factors in bfloat16 here."""

import torch


def multiplies_bfloat16() -> bool:
    """Return whether torch rounds the factors of products to bfloat16 where that is allowed.

    It does where it has faster kernels for them, with AMX for instance, and not on every processor
    with instructions for bfloat16.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        # It has 11 significant bits, bfloat16 has 8.
        factors = torch.full((256, 256), 1.0 + 2.0**-10)
        return bool((factors @ torch.eye(256))[0, 0] == 1.0)
    finally:
        torch.set_float32_matmul_precision(before)
