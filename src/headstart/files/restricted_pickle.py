"""Reading an untrusted numpy pickle: plain values come out of it, and nothing in it runs.

This is a pickle machine of its own, and not ``pickle.Unpickler`` with a list of allowed names:

- A name that is allowed there is a function that gets the file's arguments; here names are symbols,
  and none is ever imported (``pickled_arrays``).
- The machine in C reserves what an opcode announces: ``LONG_BINPUT`` of index 2**32 takes tens of
  GiB for the memo, ``BINBYTES8`` as many bytes as it states. Here the memo is a dict, and a length
  is held against the bytes that are there.
"""

import pickle
import struct
from collections.abc import Callable
from typing import Any

from headstart.files.pickled_arrays import Unbuilt, build, call, name_of, text

MAX_OPERATIONS = 6_000_000
"""Opcodes of one pickle, each of which makes one small object at most. A state takes about 100."""

_MAX_LINE = 100
_DAMAGED = "its pickle is damaged"


def read_pickle(data: bytes, start: int = 0) -> Any:
    """Return what a pickle of protocol 2 to 5 holds that goes from ``start`` to the end.

    Numbers become int, float or bool, arrays of numbers ndarrays, arrays of objects lists in lists,
    text str, the strings of Python 2 bytes, and keys of a dict str. Lists may contain themselves.

    Raises:
        ValueError: if it is damaged, too large, or asks for anything else.
    """
    try:
        return _Machine(data, start).run()
    except (IndexError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(_DAMAGED) from error


class _Machine:
    """The stack, the memo and the position of one reading."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._position = start
        self._left = MAX_OPERATIONS
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # the stacks under the marks that are open
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return the one value that is left at the end."""
        while (code := self.take(1)) != pickle.STOP:
            self.spend(1)
            step = _STEPS.get(code)
            if step is None:
                raise ValueError(f"its pickle has opcode {code!r}, which no demonstration needs")
            step(self)
        if len(self._stack) != 1 or self._below or self._position != len(self._data):
            raise ValueError(_DAMAGED)
        return _finished(self._stack[0])

    def spend(self, operations: int) -> None:
        """Count work."""
        self._left -= operations
        if self._left < 0:
            raise ValueError(f"its pickle has more than {MAX_OPERATIONS} operations, 1000 episodes")

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        end = self._position + count
        if end > len(self._data):
            raise ValueError("its pickle ends too early")
        piece = self._data[self._position : end]
        self._position = end
        return piece

    def skip(self, count: int) -> None:
        """Pass over bytes that say nothing of the values."""
        self.take(count)

    def integer(self, size: int, *, signed: bool = False) -> int:
        """Return the next integer of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def line(self) -> str:
        """Return the text up to the next end of a line."""
        length = self._data.find(b"\n", self._position, self._position + _MAX_LINE) - self._position
        if length < 0:
            raise ValueError(_DAMAGED)
        return self.take(length + 1)[:-1].decode("latin-1")

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self._stack.append(value)

    def pop(self) -> Any:
        """Take the last value off the stack."""
        return self._stack.pop()

    def top(self) -> Any:
        """Return the last value of the stack."""
        return self._stack[-1]

    def mark(self) -> None:
        """Start a group of values."""
        self._below.append(self._stack)
        self._stack = []

    def group(self) -> list[Any]:
        """Take the values since the last mark off the stack."""
        values, self._stack = self._stack, self._below.pop()
        return values

    def remember(self, index: int | None = None) -> None:
        """Note the last value under an index, by default the next one."""
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def recall(self, index: int) -> None:
        """Push what was noted."""
        self.push(_finished(self._memo[index]))


def _finished(value: Any) -> Any:
    if not isinstance(value, Unbuilt):
        return value
    if value.built is None:
        raise ValueError("its pickle uses an array before its content")
    return value.built


def _extend(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    if type(target) is not list:
        raise ValueError("its pickle appends to something that is not a list")
    target.extend(map(_finished, values))


def _set(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    if type(target) is not dict or len(values) % 2:
        raise ValueError("its pickle sets keys of something that is not a dict")
    for key, value in zip(values[::2], values[1::2], strict=True):
        target[text(key)] = _finished(value)  # Text alone: hashing nested tuples would recurse.


def _stack_global(machine: _Machine) -> None:
    name, module = text(machine.pop()), text(machine.pop())
    machine.push(name_of(module, name))


def _reduce(machine: _Machine) -> None:
    arguments, name = machine.pop(), machine.pop()
    _spend_on(machine, arguments)
    machine.push(call(name, arguments))


def _build(machine: _Machine) -> None:
    state, target = machine.pop(), machine.pop()
    _spend_on(machine, state)
    machine.push(build(target, state))


def _spend_on(machine: _Machine, arguments: Any) -> None:
    """Count what is copied: a few bytes can ask for it again and again, by naming one value."""
    if type(arguments) is not tuple or len(arguments) > 8:
        raise ValueError("its pickle makes a call that no demonstration needs; it was not run")
    for value in arguments:
        if type(value) is list:
            machine.spend(len(value))
        elif type(value) is str:
            machine.spend(len(value) // 16)


Step = Callable[[_Machine], None]


def _constant(value: Any) -> Step:
    return lambda machine: machine.push(value)


def _integer(size: int, *, signed: bool = False) -> Step:
    return lambda machine: machine.push(machine.integer(size, signed=signed))


def _counted(size: int, convert: Callable[[bytes], Any]) -> Step:
    """Return the step of an opcode that ``size`` bytes of length follow, and then the content."""
    return lambda machine: machine.push(convert(machine.take(machine.integer(size))))


def _tuple(length: int) -> Step:
    def step(machine: _Machine) -> None:
        values = [_finished(machine.pop()) for _ in range(length)]
        machine.push(tuple(reversed(values)))

    return step


def _unicode(piece: bytes) -> str:
    return piece.decode("utf-8", "surrogatepass")


def _long(piece: bytes) -> int:
    return int.from_bytes(piece, "little", signed=True)


# What picklers of protocol 2 to 5 write for arrays and plain values. Every other opcode is refused,
# those that reach for classes, the extension registry or persistent ids among them.
_STEPS: dict[bytes, Step] = {
    pickle.PROTO: lambda machine: machine.skip(1),
    pickle.FRAME: lambda machine: machine.skip(8),
    pickle.MARK: _Machine.mark,
    pickle.NONE: _constant(None),
    pickle.NEWTRUE: _constant(True),
    pickle.NEWFALSE: _constant(False),
    pickle.BININT: _integer(4, signed=True),
    pickle.BININT1: _integer(1),
    pickle.BININT2: _integer(2),
    pickle.LONG1: _counted(1, _long),
    pickle.BINFLOAT: lambda machine: machine.push(struct.unpack(">d", machine.take(8))[0]),
    pickle.SHORT_BINSTRING: _counted(1, bytes),
    pickle.BINSTRING: _counted(4, bytes),
    pickle.SHORT_BINBYTES: _counted(1, bytes),
    pickle.BINBYTES: _counted(4, bytes),
    pickle.BINBYTES8: _counted(8, bytes),
    pickle.BYTEARRAY8: _counted(8, bytes),
    pickle.SHORT_BINUNICODE: _counted(1, _unicode),
    pickle.BINUNICODE: _counted(4, _unicode),
    pickle.BINUNICODE8: _counted(8, _unicode),
    pickle.EMPTY_LIST: lambda machine: machine.push([]),
    pickle.APPEND: lambda machine: _extend(machine, [machine.pop()]),
    pickle.APPENDS: lambda machine: _extend(machine, machine.group()),
    pickle.EMPTY_TUPLE: _constant(()),
    pickle.TUPLE: lambda machine: machine.push(tuple(map(_finished, machine.group()))),
    pickle.TUPLE1: _tuple(1),
    pickle.TUPLE2: _tuple(2),
    pickle.TUPLE3: _tuple(3),
    pickle.EMPTY_DICT: lambda machine: machine.push({}),
    pickle.SETITEM: lambda machine: _set(machine, [machine.pop(), machine.pop()][::-1]),
    pickle.SETITEMS: lambda machine: _set(machine, machine.group()),
    pickle.BINPUT: lambda machine: machine.remember(machine.integer(1)),
    pickle.LONG_BINPUT: lambda machine: machine.remember(machine.integer(4)),
    pickle.MEMOIZE: _Machine.remember,
    pickle.BINGET: lambda machine: machine.recall(machine.integer(1)),
    pickle.LONG_BINGET: lambda machine: machine.recall(machine.integer(4)),
    pickle.GLOBAL: lambda machine: machine.push(name_of(machine.line(), machine.line())),
    pickle.STACK_GLOBAL: _stack_global,
    pickle.REDUCE: _reduce,
    pickle.BUILD: _build,
}
