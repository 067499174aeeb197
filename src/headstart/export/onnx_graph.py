"""Nodes and constants of an ONNX graph, added one by one."""

from typing import Any

import numpy as np


class Graph:
    """Nodes and constants, each called by its number."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        from onnx import helper

        name = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, array: Any) -> str:
        """Add a constant, and return its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def gather(self, values: str, columns: list[int]) -> str:
        """Add the choice of some columns."""
        return self.add("Gather", values, self.constant(np.array(columns, np.int64)), axis=-1)

    def clip(self, values: str, bound: float) -> str:
        """Add a clip to ``[-bound, bound]``."""
        low, high = self.constant(np.float32(-bound)), self.constant(np.float32(bound))
        return self.add("Clip", values, low, high)
