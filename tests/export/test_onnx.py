import json

import numpy as np
import pytest
from exporting import ACTION, GOAL, KINDS, OBSERVATION, policy_of, states

from headstart.export.onnx import to_onnx

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def session(content):
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_onnx_policy_is_the_numpy_policy(kind):
    policy, observation = policy_of(kind), states(10_000, kind)
    (actions,) = session(to_onnx(policy)).run(None, observation)
    assert np.abs(actions - policy(observation)).max() < 1e-5


def test_the_contract_is_in_the_file():
    running = session(to_onnx(policy_of("differences")))
    shapes = {each.name: each.shape for each in running.get_inputs()}
    assert shapes == {
        "observation": ["batch", OBSERVATION],
        "achieved_goal": ["batch", GOAL],
        "desired_goal": ["batch", GOAL],
    }
    stored = running.get_modelmeta().custom_metadata_map["headstart_policy"]
    contract = json.loads(stored)
    assert contract["env_id"] == "PointReach-v0"
    (action,) = contract["outputs"]
    assert action["shape"] == ["batch", ACTION]
    assert action["low"] == [-1.0, -0.5, 0.0, 2.0]
