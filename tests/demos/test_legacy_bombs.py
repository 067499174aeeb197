"""Files of a few bytes that were made to fill the memory, or to take forever."""

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from builders import is_one_line
from legacy_files import members, npy, write

from headstart.demos.foreign.legacy import MAX_BYTES

MIB = 2**20
HUGE = struct.pack("<Q", 2**62)
OPERATIONS = 200_000  # instead of MAX_OPERATIONS


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value


def one_of_each(before, after, times):
    """A list of values each of which is made of the one before."""
    return b"](" + before + (b"q\x00" + after) * times + b"e."


def again(value, step, times=OPERATIONS):
    """A list of what a step makes of one value, again and again."""
    return b"](" + value + b"q\x00" + step * times + b"e."


NDARRAY = b"cnumpy\nndarray\n"
EMPTY = b"cnumpy.core.multiarray\n_reconstruct\n" + NDARRAY + b"K\x00\x85C\x01b\x87R"
STATE = b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
U1 = b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R" + STATE
O8 = b"cnumpy\ndtype\nX\x02\x00\x00\x00O8\x89\x88\x87R" + STATE

PICKLES = {
    "bytes of 2**62": b"\x8e" + HUGE + b"x.",
    "text of 2**62": b"\x8d" + HUGE + b"x.",
    "a bytearray of 2**62": b"\x96" + HUGE + b"x.",
    "text of 4 GiB": b"X\xff\xff\xff\xffx.",
    "a frame of 2**62": b"\x95" + HUGE + b"N.",
    "an integer of 2 GiB": b"\x8b\xff\xff\xff\x7f.",
    "a memo of 2**32": b"Nr\xff\xff\xff\xff.",
    "a memo of 2**31, in text": b"Np2147483647\n.",
    "a shape of 2**62": EMPTY + b"(K\x01\x8a\x08" + HUGE + b"\x85" + U1 + b"\x89C\x01xtb.",
    "doubled tuples": b")" + b"q\x00h\x00\x86" * 100 + b".",
    "doubled tuples as a key": b"})" + b"q\x00h\x00\x86" * 100 + b"Ns.",
    "doubled lists": one_of_each(b"]", b"](h\x00h\x00e", 100),
    "doubled dicts": one_of_each(b"}", b"}(U\x01ah\x00U\x01bh\x00u", 100),
    "a list of itself": b"]q\x00h\x00a.",
    "lists in lists": b"]" + b"]" * 90_000 + b"a" * 90_000 + b".",
    "tuples in tuples": b")" + b"\x85" * 90_000 + b".",
    "tuples in tuples as a key": b"})" + b"\x85" * 90_000 + b"Ns.",
    "states many times, in an episode many times": again(
        b"](}q\x00" + b"h\x00" * 10_000 + b"e", b"h\x00", 10_000
    ),
    "marks": b"(" * OPERATIONS + b".",
    "dicts": again(b"}", b"}"),
    "dicts with a key": again(text(b"key"), b"}h\x00Ns"),
    "a memo of everything": again(b"]", b"]\x94"),
    "one text encoded again and again": b"c_codecs\nencode\nq\x01"
    + again(text(b"x" * MIB) + text(b"latin1") + b"\x86", b"h\x01h\x00R"),
    "one long key again and again": again(text(b"k" * MIB), b"}h\x00Ns"),
    "one list in array after array": again(
        b"(K\x01M\xff\xff\x85" + O8 + b"\x89](" + b"N" * 65535 + b"et", EMPTY + b"h\x00b", 10_000
    ),
    "text with one wide character": again(text(b"x" * 20 * MIB + "🤖".encode()), b"h\x00"),
}


def write_lying(path, content, size):
    """Write a good archive whose actions unpack to more than its headers say."""
    write(path, members(acs=content))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        local = archive.getinfo("acs.npy").header_offset
    central = data.rindex(b"acs.npy") - 46
    data[local + 22 : local + 26] = data[central + 24 : central + 28] = struct.pack("<I", size)
    path.write_bytes(data)


def zeros(size):
    """An ``.npy`` file of so many zeros; deflated they take a thousandth of it."""
    return npy(bytes(size), f"({size},)", "|u1")


def write_bombs(folder):
    """Write every bomb; return the paths by name."""
    paths = {}
    for name, pickled in PICKLES.items():
        paths[name] = folder / f"{len(paths)}.npz"
        content = npy(b"\x80\x04" + pickled)
        write(paths[name], members(acs=content, obs=content, info=content))
    paths["zeros"] = folder / "zeros.npz"
    write(paths["zeros"], members(acs=zeros(MAX_BYTES)))
    paths["zeros that say they are few"] = folder / "lying.npz"
    write_lying(paths["zeros that say they are few"], zeros(MAX_BYTES), 1000)
    paths["a shape of nothing"] = folder / "shape.npz"
    write(paths["a shape of nothing"], members(acs=npy(b"", f"({2**50}, 2)", "<f8")))
    return paths


READ = """
import json, sys, time
from pathlib import Path
from headstart.files import restricted_pickle
from headstart.demos.foreign.legacy import load_legacy_demos
from legacy_files import SPEC

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

restricted_pickle.MAX_OPERATIONS = int(sys.argv[1])
for path in sys.argv[2:]:
    Path("/proc/self/clear_refs").write_text("5")
    before, started = peak(), time.process_time()
    try:
        load_legacy_demos(path, SPEC)
        outcome = "loaded"
    except ValueError as error:
        outcome = type(error).__name__ + ": " + str(error)
    print(json.dumps([outcome, peak() - before, time.process_time() - started]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux reports the peak")
def test_no_file_of_a_few_bytes_takes_much_memory_or_time(tmp_path):
    paths = write_bombs(tmp_path)
    assert max(path.stat().st_size for path in paths.values()) < MIB
    result = subprocess.run(
        [sys.executable, "-c", READ, str(OPERATIONS), *map(str, paths.values())],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    read = [json.loads(line) for line in result.stdout.splitlines()]
    for name, (expected, grown, seconds) in zip(paths, read, strict=True):
        print(f"{name:45} {grown:6.0f} MiB {seconds:5.2f} s  {expected[-80:]}")
        assert expected.startswith("InputError"), name
        assert is_one_line(expected)
        assert grown < 200, (name, grown)
        assert seconds < 20, (name, seconds)
