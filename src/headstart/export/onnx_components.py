"""The graph of an ONNX model, and how an actor sees one component at a time in it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.component_inputs import ComponentInputs


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


_AXIS = 1
"""Of the components, in arrays of (batch, components, width)."""


def see_components(seen: ComponentInputs, graph: Graph, states: str) -> str:
    """Add what ``ComponentInputs`` computes of joined states; return the name of the result."""
    view = _View(seen, graph, states)
    place = viewpoint = view.current(view.places)
    offsets = [view.current(view.ways), view.nearest(place)]
    if seen.hand is not None:
        viewpoint = graph.gather(states, list(range(seen.hand, seen.hand + seen.dim)))
        offsets += [graph.add("Sub", place, viewpoint), view.nearest(viewpoint)]
    plain = [graph.gather(states, list(seen.shared))] if seen.shared else []
    if seen.own:
        owned = [first + entry for first in seen.firsts for entry in seen.own]
        plain.append(view.current(view.split(owned, len(seen.own))))
    plain.append(graph.add("Cast", view.is_over, to=1))
    if seen.heights:
        above = graph.add("Sub", view.highest(), viewpoint)
        plain.append(graph.gather(above, list(seen.heights)))
    coarse = graph.add("Concat", *offsets, axis=-1)
    fine = [
        graph.add("Tanh", graph.add("Mul", coarse, graph.constant(np.float32(scale))))
        for scale in seen.scales
    ]
    return graph.add("Concat", *plain, coarse, *fine, axis=-1)


class _View:
    """The components of a batch of states, and which of them is the current one."""

    def __init__(self, seen: ComponentInputs, graph: Graph, states: str) -> None:
        self._seen, self._graph, self._states = seen, graph, states
        achieved = [
            seen.observation_dim + first + axis for first in seen.goals for axis in range(seen.dim)
        ]
        self.places = self.split(achieved, seen.dim)
        self.goals = self.split([entry + seen.goal_dim for entry in achieved], seen.dim)
        self.ways = graph.add("Sub", self.goals, self.places)
        self.is_over, chosen = self._choose()
        self._is_current = self._mask(chosen)

    def split(self, entries: list[int], width: int) -> str:
        """Add entries of the states as (batch, components, width)."""
        shape = self._graph.constant(np.array([-1, len(self._seen.goals), width], np.int64))
        return self._graph.add("Reshape", self._graph.gather(self._states, entries), shape)

    def current(self, values: str) -> str:
        """Add the row of the current component, (batch, width)."""
        return self._row(self._is_current, values)

    def highest(self) -> str:
        """Add the largest number of each column over all components but the current one."""
        others = self._others(-np.inf)
        return self._graph.add("ReduceMax", others, axes=[_AXIS], keepdims=0)

    def nearest(self, place: str) -> str:
        """Add the offset from a place, (batch, dim), of the nearest of the other components."""
        graph = self._graph
        at = graph.add("Unsqueeze", place, graph.constant(np.array([_AXIS], np.int64)))
        offsets = graph.add("Sub", self._others(np.inf), at)
        chosen = graph.add("ArgMin", self._squared(offsets), axis=_AXIS, keepdims=1)
        return self._row(self._mask(chosen), offsets)

    def _others(self, instead: float) -> str:
        """Add the places of all components, with a number in place of the current one's."""
        number = self._graph.constant(np.float32(instead))
        return self._graph.add("Where", self._is_current, number, self.places)

    def _choose(self) -> tuple[str, str]:
        """Add whether all are finished, and the number of the current one, (batch, 1) each."""
        graph, distance = self._graph, self._squared(self.ways)
        near, close = (
            graph.add("LessOrEqual", distance, graph.constant(np.float32(within**2)))
            for within in self._seen.distances
        )
        axis = graph.constant(np.array(_AXIS, np.int64))
        count = graph.add("Cast", close, to=1)
        total = graph.add(
            "ReduceSum", count, graph.constant(np.array([_AXIS], np.int64)), keepdims=1
        )
        before_last = graph.add("Less", graph.add("CumSum", count, axis), total)
        finished = graph.add("Or", near, graph.add("And", close, before_last))
        left = graph.add("Cast", graph.add("Not", finished), to=1)
        most = graph.add("ReduceMax", left, axes=[_AXIS], keepdims=1)
        is_over = graph.add("Equal", most, graph.constant(np.float32(0.0)))
        last = np.zeros((1, len(self._seen.goals)), np.float32)
        last[0, -1] = 1.0
        and_last = graph.add("Where", is_over, graph.constant(last), left)
        return is_over, graph.add("ArgMax", and_last, axis=_AXIS, keepdims=1)

    def _squared(self, values: str) -> str:
        squares = self._graph.add("Mul", values, values)
        last = self._graph.constant(np.array([2], np.int64))
        return self._graph.add("ReduceSum", squares, last, keepdims=0)

    def _mask(self, chosen: str) -> str:
        """Add which component a number, (batch, 1), is, (batch, components, 1)."""
        numbers: NDArray[np.int64] = np.arange(len(self._seen.goals))[None]
        found = self._graph.add("Equal", chosen, self._graph.constant(numbers))
        return self._graph.add("Unsqueeze", found, self._graph.constant(np.array([2], np.int64)))

    def _row(self, mask: str, values: str) -> str:
        zero = self._graph.constant(np.float32(0.0))
        kept = self._graph.add("Where", mask, values, zero)
        axis = self._graph.constant(np.array([_AXIS], np.int64))
        return self._graph.add("ReduceSum", kept, axis, keepdims=0)
