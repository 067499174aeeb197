"""Files that were made to run something."""

import codecs
import copyreg
import io
import os
import pickle
import struct
import subprocess

import numpy as np
import pytest
from legacy_files import refusal_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "demos.npz"


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "sprung"


class Call:
    """Is pickled as the call of a function."""

    def __init__(self, function, *arguments):
        self.called = function, arguments

    def __reduce__(self):
        return self.called


def calls(canary):
    """Calls that leave the canary behind when they are run."""
    touch = f"touch {canary}"
    source = f"open({str(canary)!r}, 'w').close()"
    return {
        "os.system": (os.system, touch),
        "subprocess.check_call": (subprocess.check_call, ["touch", str(canary)]),
        "subprocess.Popen": (subprocess.Popen, ["touch", str(canary)]),
        "eval": (eval, source),
        "exec": (exec, source),
        "open": (open, str(canary), "w"),
        "numpy.memmap": (np.memmap, str(canary), "uint8", "w+", 0, (8,)),
        "numpy.save": (np.save, str(canary), 0),
        "numpy.savetxt": (np.savetxt, str(canary), [0]),
        "numpy.testing.runstring": (np.testing.runstring, source, {}),
        "copyreg": (copyreg._reconstructor, io.FileIO, object, None),
        "getattr": (getattr, Call(__import__, "os"), "system"),
        "numpy.load": (np.load, str(canary)),
        "numpy.fromfile": (np.fromfile, str(canary)),
        "codecs.decode": (codecs.decode, b"", "zlib"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", calls(""))
def test_no_call_is_run(path, canary, name, protocol):
    call = Call(*calls(canary)[name])
    for content in (call, [[{"observation": call}]], np.array([call, None])):
        message = refusal_of(path, pickle.dumps(content, protocol))
        assert not canary.exists()
        # The older protocols are refused as such.
        assert "not run" in message or protocol < 2


LIVE = (
    "os.system",
    "subprocess.check_call",
    "eval",
    "open",
    "numpy.save",
    "numpy.testing.runstring",
)


@pytest.mark.parametrize("name", LIVE)
def test_the_canary_is_alive(canary, name):
    pickle.loads(pickle.dumps(Call(*calls(canary)[name])))
    assert canary.exists() or canary.with_name("sprung.npy").exists()


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def global_of(module, name):
    return text(module) + text(name) + b"\x93"


OS_SYSTEM = b"cos\nsystem\n"
NDARRAY = b"cnumpy\nndarray\n"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
DTYPE = b"cnumpy\ndtype\n"
STATE = b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
F8 = DTYPE + b"X\x02\x00\x00\x00f8\x89\x88\x87R" + STATE
O8 = DTYPE + b"X\x02\x00\x00\x00O8\x89\x88\x87R" + STATE
EMPTY = RECONSTRUCT + NDARRAY + b"K\x00\x85C\x01b\x87R"
SCALAR = b"cnumpy.core.multiarray\nscalar\n"
FROMBUFFER = b"cnumpy.core.numeric\n_frombuffer\n"
HUGE = b"\x8a\x08" + struct.pack("<q", 2**40)

NAMES = {
    "os": ("system",),
    "builtins": ("eval", "getattr", "list", "bytes"),
    "__builtin__": ("getattr", "bytearray"),
    "numpy": ("load", "fromfile", "testing.runstring", "ndarray.tofile", "core.multiarray.scalar"),
    "numpy.core.multiarray": ("fromfile", "scalar.__globals__", "scalar\x00", "scalar "),
    "numpy.core._multiarray_umath": ("_reconstruct", "fromfile"),
    "numpy._core._multiarray_umath": ("_reconstruct", "fromfile"),
    "numpy.core.numeric": ("fromfunction",),
    "copyreg": ("_reconstructor",),
    "_codecs": ("decode",),
    "collections": ("defaultdict", "OrderedDict.fromkeys"),
    "headstart.demos.storage": ("save_demos",),
    "": ("", "os.system"),
    "\x1b[2Jos": ("sys\r\ntem",),
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in NAMES.items() for name in names]
)
def test_other_names_are_refused_in_either_form(path, module, name):
    named = b"\x80\x04" + global_of(module, name)
    for content in (named + b".", named + b"X\x01\x00\x00\x00x\x85R.", named + b"}b."):
        assert "not run" in refusal_of(path, content)
    if "\n" not in name:
        assert "not run" in refusal_of(path, b"\x80\x02" + f"c{module}\n{name}\n.".encode())


OPCODES = {
    "INST": b"(TOUCHios\nsystem\n.",
    "OBJ": b"(" + OS_SYSTEM + b"TOUCHo.",
    "OBJ of numpy": b"(" + NDARRAY + HUGE + b"o.",
    "NEWOBJ": NDARRAY + HUGE + b"\x85\x81.",
    "NEWOBJ_EX": NDARRAY + HUGE + b"\x85}\x92.",
    "EXT1": b"\x82\xf0.",
    "EXT2": b"\x83\xf0\x00.",
    "EXT4": b"\x84\xf0\x00\x00\x00.",
    "PERSID": b"Psomething\n.",
    "BINPERSID": b"K\x01Q.",
    "NEXT_BUFFER": b"\x97.",
    "DUP": b"]2a.",
    "EMPTY_SET": b"\x8f.",
    "LONG4": b"\x8b\xff\xff\xff\x7f.",
    "BUILD of a type": NDARRAY + b"}b.",
    "BUILD of a type with slots": NDARRAY + b"N}\x86b.",
    "BUILD of a dict": b"}}b.",
    "BUILD of None": b"N}b.",
    "BUILD of an array that is built": F8 + STATE + b".",
    "a type as the result of the file": NDARRAY + b".",
}


@pytest.mark.parametrize("opcodes", OPCODES.values(), ids=OPCODES)
def test_other_opcodes_are_refused(path, canary, opcodes):
    opcodes = opcodes.replace(b"TOUCH", text(f"touch {canary}"))
    copyreg.add_extension("os", "system", 0xF0)
    try:
        refusal_of(path, b"\x80\x04" + opcodes)
        refusal_of(path, b"\x80\x04](" + opcodes[:-1] + b"e.")
    finally:
        copyreg.remove_extension("os", "system", 0xF0)
    assert not canary.exists()


def array_state(shape, dtype, content, order=b"\x89"):
    return EMPTY + b"(K\x01" + shape + dtype + order + content + b"tb."


ARGUMENTS = {
    "the type of arrays called": NDARRAY + HUGE + b"\x85\x85R.",
    "a huge array to start from": RECONSTRUCT + NDARRAY + HUGE + b"\x85C\x01b\x87R.",
    "an array of another type": RECONSTRUCT + OS_SYSTEM + b"K\x00\x85C\x01b\x87R.",
    "an array used before its content": b"](" + EMPTY + b"e.",
    "an array without its content": EMPTY + b".",
    "an array with itself inside": b"("
    + EMPTY
    + b"q\x00(K\x01K\x01\x85"
    + O8
    + b"\x89](h\x00etbt.",
    "a huge shape": array_state(HUGE + b"\x85", F8, b"C\x08" + bytes(8)),
    "a huge shape of nothing": array_state(HUGE + HUGE + b"\x86", F8, b"C\x00"),
    "a negative shape": array_state(b"J\xff\xff\xff\xff\x85", F8, b"C\x00"),
    "a shape of many axes": array_state(b"(" + b"K\x01" * 99 + b"t", F8, b"C\x08" + bytes(8)),
    "a shape of floats": array_state(b"G" + bytes(8) + b"\x85", F8, b"C\x08" + bytes(8)),
    "objects out of bytes": array_state(b"K\x01\x85", O8, b"C\x08" + bytes(8)),
    "numbers out of objects": array_state(b"K\x01\x85", F8, b"](K\x01e"),
    "too few objects": array_state(HUGE + b"\x85", O8, b"](K\x01e"),
    "an object out of bytes": SCALAR + O8 + b"C\x08" + bytes(8) + b"\x86R.",
    "an object out of a pickle": SCALAR + O8 + OS_SYSTEM + b"\x86R.",
    "a number of other bytes": SCALAR + F8 + b"C\x02xx\x86R.",
    "a huge buffer": FROMBUFFER + b"(C\x08" + bytes(8) + F8 + HUGE + b"\x85" + text("C") + b"tR.",
    "a buffer of objects": FROMBUFFER
    + b"(C\x08"
    + bytes(8)
    + O8
    + b"K\x01\x85"
    + text("C")
    + b"tR.",
    "a huge dtype": DTYPE + text("V1000000000000") + b"\x89\x88\x87R" + STATE + b".",
    "a dtype of text": DTYPE + text("S8") + b"\x89\x88\x87R" + STATE + b".",
    "a dtype of fields": DTYPE
    + b"](X\x01\x00\x00\x00aX\x01\x00\x00\x00Oe\x89\x88\x87R"
    + STATE
    + b".",
    "a dtype with metadata": DTYPE + text("O8") + b"\x89\x88\x87R(K\x04" + STATE[3:-2] + b"}tb.",
    "a dtype in dtype": DTYPE + F8 + b"\x89\x88\x87R.",
    "another codec": b"c_codecs\nencode\n" + text("x") + text("zlib") + b"\x86R.",
    "bytes of a length": b"cbuiltins\nbytes\n" + HUGE + b"\x85R.",
    "pairs that are none": b"ccollections\nOrderedDict\n](K\x01e\x85R.",
    "a list as a key": b"}]K\x01s.",
    "a call of what is no function": b"]K\x01\x85R.",
    "a call without arguments": NDARRAY + b"NR.",
}


@pytest.mark.parametrize("opcodes", ARGUMENTS.values(), ids=ARGUMENTS)
def test_the_names_that_are_known_take_no_other_arguments(path, opcodes):
    refusal_of(path, b"\x80\x04" + opcodes)
    refusal_of(path, b"\x80\x04" + opcodes, "acs")


DAMAGE = [
    b"",
    b".",
    b"N",
    b"N.N",
    b"NN.",
    b"(.",
    b"(N.",
    b"t.",
    b"a.",
    b"]a.",
    b"R.",
    b"b.",
    b"h\x05.",
]


@pytest.mark.parametrize(
    "opcodes", [*DAMAGE, b"j\xff\xff\xff\xff.", b"K", b"C\x05abc.", b"cos", b"0."]
)
def test_a_damaged_pickle_is_refused(path, opcodes):
    refusal_of(path, opcodes)
    refusal_of(path, b"\x80\x04" + opcodes)
