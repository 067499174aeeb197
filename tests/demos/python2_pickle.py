"""The pickles of Python 2, which numpy of today no longer writes, opcode by opcode."""

import struct
from collections import OrderedDict

import numpy as np


class Python2Pickle:
    """cPickle of Python 2, protocol 2, with numpy 1: its text is bytes."""

    def __init__(self):
        self.out = [b"\x80\x02"]
        self.memo = {}

    def dumps(self, value):
        self.save(value)
        return b"".join(self.out) + b"."

    def save(self, value):
        match value:
            case None:
                self.out.append(b"N")
            case bool():
                self.out.append(b"\x88" if value else b"\x89")
            case int():
                self.integer(value)
            case float():
                self.out.append(pack_opcode("G>d", value))
            case str():
                self.once(value, lambda: self.string(value.encode("latin-1")))
            case list():
                self.container(b"]", value, b"e")
            case OrderedDict():
                self.call("collections OrderedDict", [list(item) for item in value.items()])
            case dict():
                self.container(b"}", [one for item in value.items() for one in item], b"u")
            case np.ndarray():
                self.array(value)
            case np.generic():
                self.call("numpy.core.multiarray scalar", value.dtype, value.tobytes())
            case bytes():
                self.string(value)
            case np.dtype():
                self.once(str(value), lambda: self.dtype(value))
            case _:
                raise TypeError(type(value))

    def once(self, key, save):
        """What Python 2 kept as one object, it wrote once."""
        if key in self.memo:
            self.out.append(pack_opcode("j<I", self.memo[key]))
            return
        save()
        self.memo[key] = self.put()

    def put(self):
        self.memo[len(self.memo), "number"] = number = len(self.memo)
        self.out.append(b"q" + bytes([number]) if number < 256 else pack_opcode("r<I", number))
        return number

    def integer(self, value):
        if 0 <= value < 256:
            self.out.append(b"K" + bytes([value]))
        elif -(2**31) <= value < 2**31:
            self.out.append(pack_opcode("J<i", value))
        else:
            content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            self.out.append(b"\x8a" + bytes([len(content)]) + content)

    def string(self, content):
        short = len(content) < 256
        self.out.append(b"U" + bytes([len(content)]) if short else pack_opcode("T<i", len(content)))
        self.out.append(content)

    def container(self, empty, values, end):
        self.out.append(empty)
        self.put()
        self.out.append(b"(")
        for value in values:
            self.save(value)
        self.out.append(end)

    def tuple(self, values):
        self.out.append(b"(")
        for value in values:
            self.save(value)
        self.out.append(b"t")
        self.put()

    def name(self, name):
        self.once(f"global {name}", lambda: self.out.append(b"c%b\n%b\n" % tuple(split(name))))

    def call(self, name, *arguments):
        self.name(name)
        self.tuple(arguments)
        self.out.append(b"R")
        self.put()

    def dtype(self, dtype):
        code = "O8" if dtype.hasobject else dtype.str[1:]
        self.call("numpy dtype", code, 0, 1)
        order, flags = ("|", 63) if dtype.hasobject else (dtype.str[0], 0)
        self.tuple([3, order, None, None, None, -1, -1, flags])
        self.out.append(b"b")

    def array(self, array):
        self.name("numpy.core.multiarray _reconstruct")
        self.out.append(b"(")
        self.name("numpy ndarray")
        self.tuple([0])
        self.save("b")
        self.out.append(b"tR")
        self.put()
        self.out.append(b"(K\x01")
        self.tuple(array.shape)
        self.save(array.dtype)
        self.save(False)
        self.save(array.ravel().tolist() if array.dtype.hasobject else array.tobytes())
        self.out.append(b"tb")


def pack_opcode(form, value):
    """An opcode, and its argument in the form behind it."""
    return form[0].encode() + struct.pack(form[1:], value)


def split(name):
    return [part.encode() for part in name.split(" ")]
