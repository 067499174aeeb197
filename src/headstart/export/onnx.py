"""Policies as ONNX, built node by node: without torch, in milliseconds, one file."""

import json
from typing import Any

import numpy as np

from headstart.data.component_inputs import ComponentInputs
from headstart.data.inputs import NOTHING
from headstart.errors import InputError
from headstart.export.contract import action_scale, contract_of, inputs_of
from headstart.export.onnx_components import Graph, see_components
from headstart.policy import Policy

OPSET, IR_VERSION = 17, 8
"""Old enough for the runtimes on robots."""
HINT = "ONNX needs the package onnx: pip install 'headstart[onnx]'"


def to_onnx(policy: Policy) -> bytes:
    """Return a policy as the content of an ONNX file.

    Inputs are ``observation``, ``achieved_goal`` and ``desired_goal``, each ``(batch, width)`` in
    float32, as the environment gives them; output is ``action``, ``(batch, action_dim)``, as the
    environment takes it. The property ``headstart_policy`` of the model holds the contract.

    Raises:
        InputError: if onnx is not installed, or the policy's inputs are of an unknown kind.
    """
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        raise InputError(HINT) from error
    contract = contract_of(policy)
    nodes, constants = _graph(policy)

    def values(kind: str) -> list[Any]:
        return [
            helper.make_tensor_value_info(each["name"], TensorProto.FLOAT, each["shape"])
            for each in contract[kind]
        ]

    graph = helper.make_graph(
        nodes, "headstart_policy", values("inputs"), values("outputs"), constants
    )
    model = helper.make_model(
        graph,
        producer_name="headstart",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, {"headstart_policy": json.dumps(contract)})
    checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def _graph(policy: Policy) -> tuple[list[Any], list[Any]]:
    """Return the nodes from the three inputs to the action, and their constants."""
    graph = Graph()
    names = ["observation", "achieved_goal", "desired_goal"]
    hidden = _selected(policy, graph, graph.add("Concat", *names, axis=-1))
    hidden = graph.clip(hidden, policy.input_clip)
    centered = graph.add("Sub", hidden, graph.constant(policy.mean))
    hidden = graph.add("Div", centered, graph.constant(policy.std))
    hidden = graph.clip(hidden, policy.output_clip)
    for index, (weight, bias) in enumerate(policy.layers):
        last = index == len(policy.layers) - 1
        hidden = graph.add("Gemm", hidden, graph.constant(weight), graph.constant(bias))
        hidden = graph.add("Tanh" if last else "Relu", hidden)
    center, half_range = (graph.constant(array) for array in action_scale(policy))
    hidden = graph.add("Add", graph.add("Mul", hidden, half_range), center)
    # Sums may be rounded past a bound.
    hidden = graph.add("Max", hidden, graph.constant(policy.action_low))
    graph.add("Min", hidden, graph.constant(policy.action_high), output="action")
    return graph.nodes, graph.constants


def _selected(policy: Policy, graph: Graph, states: str) -> str:
    """Add the selection of entries, differences and fine scales; return what the network sees."""
    inputs = inputs_of(policy)
    if isinstance(inputs, ComponentInputs):
        return see_components(inputs, graph, states)
    plain = [entry for entry, subtracted in inputs.terms if subtracted == NOTHING]
    pairs = [term for term in inputs.terms if term[1] != NOTHING]
    parts = [graph.gather(states, plain)] if plain else []
    difference = ""
    if pairs:
        entries, subtracted = (
            graph.gather(states, list(side)) for side in zip(*pairs, strict=True)
        )
        difference = graph.add("Sub", entries, subtracted)
        parts.append(difference)
    order = np.argsort([subtracted != NOTHING for _, subtracted in inputs.terms], kind="stable")
    taken = graph.gather(graph.add("Concat", *parts, axis=-1), np.argsort(order).tolist())
    if not inputs.scales or not pairs:
        return taken
    scaled = [
        graph.add("Tanh", graph.add("Mul", difference, graph.constant(np.float32(scale))))
        for scale in inputs.scales
    ]
    return graph.add("Concat", taken, *scaled, axis=-1)
