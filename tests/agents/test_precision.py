"""Products of factors in bfloat16: where there are none, a run that asks for them says so."""

import pytest
import torch
from small_runs import POINT, SMALL

from headstart import train
from headstart.agents.precision import multiplies_bfloat16


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_says_where_bfloat16_is_float32(precision, caplog):
    train(POINT, SMALL.with_({"env_steps": 60, "matmul_precision": precision}))
    nothing = precision == "bfloat16" and not multiplies_bfloat16()
    assert ("torch multiplies float32 here all the same" in caplog.text) == nothing


def test_products_are_exact_after_it_was_tried():
    multiplies_bfloat16()
    factors = torch.full((256, 256), 1.0 + 2.0**-10)
    assert torch.equal(factors @ torch.eye(256), factors)
