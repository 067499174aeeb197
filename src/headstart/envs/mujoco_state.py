"""The state of a MuJoCo simulation as one vector, restored to the bit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import InputError

State = NDArray[np.float64]


class MujocoState:
    """The integration state, and arrays beside it that the future depends on.

    Args:
        model: of MuJoCo.
        data: of MuJoCo.
        scene: arrays of the model that ``reset`` changes, such as places of bodies.
        poses: arrays of the data that controllers read before a step. They are one substep behind
            the joints; computed again from the joints, they would let an arm drift by a millimetre
            in 20 steps.
    """

    def __init__(
        self,
        model: Any,
        data: Any,
        *,
        scene: Sequence[NDArray[Any]] = (),
        poses: Sequence[NDArray[Any]] = (),
    ) -> None:
        import mujoco

        self._mujoco, self._model, self._data = mujoco, model, data
        self._scene, self._poses = scene, poses
        self._what = mujoco.mjtState.mjSTATE_INTEGRATION
        self._size = mujoco.mj_stateSize(model, self._what)

    def save(self, *others: NDArray[Any]) -> State:
        """Return the state, the scene, the poses, and other vectors, one behind the other."""
        state = np.empty(self._size)
        self._mujoco.mj_getState(self._model, self._data, state, self._what)
        arrays = (*self._scene, *self._poses, *others)
        return np.concatenate([state, *(np.ravel(array) for array in arrays)])

    def restore(self, state: State, *others: int) -> list[NDArray[np.float64]]:
        """Put a state back, and return copies of the other vectors.

        Args:
            state: what ``save`` returned.
            others: their widths.

        Raises:
            InputError: if it is of another width.
        """
        arrays = (*self._scene, *self._poses)
        widths = [self._size, *(array.size for array in arrays), *others]
        if state.shape != (sum(widths),):
            raise InputError(
                f"a snapshot holds {len(state)} numbers, a state of this environment "
                f"{sum(widths)}: it is of another environment or version"
            )
        saved, *parts = np.split(np.array(state), np.cumsum(widths)[:-1])
        for array, part in zip(self._scene, parts, strict=False):
            array[:] = part.reshape(array.shape)
        self._mujoco.mj_setState(self._model, self._data, saved, self._what)
        self._mujoco.mj_forward(self._model, self._data)
        for array, part in zip(self._poses, parts[len(self._scene) :], strict=False):
            array[:] = part.reshape(array.shape)
        return parts[len(arrays) :]
