"""Damaged policy files: each is read or refused in one line, whatever was damaged.

``HEADSTART_FUZZ`` is the number of files, for longer runs.
"""

import json
from collections import Counter

import numpy as np
import pytest
from builders import point_policy
from mutations import (
    both_seen,
    damaged_files,
    harmless,
    judge,
    mutate_json,
    mutate_tensors,
    outcome,
)

from headstart.policy import Policy, load_policy


def of_policy(content, rng):
    """Changed within the JSON that a policy's header holds as text, or around it."""
    if rng.random() < 0.5:
        return mutate_json(content, rng)
    header = json.loads(content)
    inner = header["__metadata__"]
    inner["headstart_policy"] = mutate_json(inner["headstart_policy"].encode(), rng).decode(
        "utf-8", "replace"
    )
    return json.dumps(header).encode()


@pytest.mark.timeout(0)
@pytest.mark.filterwarnings("error")
def test_damaged_policies_are_read_or_refused_in_one_line(tmp_path):
    path = tmp_path / "policy.safetensors"
    whole = point_policy().to_bytes()
    counts = Counter()
    for number, rng in damaged_files(quick=400):
        path.write_bytes(mutate_tensors(whole, rng, of_policy))
        with harmless():
            found = outcome(load_policy, path)
        counts[judge(number, found, f"{path}: not a headstart policy file", str(path))] += 1
        if isinstance(found, Policy):
            assert all(np.isfinite(array).all() for array in found.arrays().values()), number
            assert outcome(load_policy, _save_and_load(found, tmp_path / "again")) is not None
    both_seen(counts)


def _save_and_load(policy, path):
    """What was read can be written, and read again."""
    policy.save(path)
    assert isinstance(load_policy(path), Policy)
    return path
