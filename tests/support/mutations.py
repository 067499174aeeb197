"""Damage to files, for tests that read or refuse whatever they are given."""

import contextlib
import json
import os
import resource
import sys
import time

import numpy as np
from builders import is_one_line

COUNT = int(os.environ.get("HEADSTART_FUZZ", "0"))
"""How many damaged files a test tries; 0 leaves it to the test, which then is quick."""
_SECONDS = 10.0  # of the processor that reading one of them may take
_MEMORY = 2**20  # KiB more than before that reading all of them may take
_FORBIDDEN = ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn",
              "os.fork", "socket.connect")  # fmt: skip


def flip(data, rng):
    for position in rng.integers(0, len(data), rng.integers(1, 4)):
        data[position] ^= 1 << rng.integers(0, 8)


def overwrite(data, rng):
    for position in rng.integers(0, len(data), rng.integers(1, 4)):
        data[position] = rng.integers(0, 256)


def truncate(data, rng):
    del data[rng.integers(0, len(data)) :]


def splice(data, rng):
    """Put a piece of the data somewhere else in it."""
    start, end, to = rng.integers(0, len(data), 3)
    piece = data[start : min(end, start + 200)]
    data[to : to + rng.integers(0, 2) * len(piece)] = piece


def cut_out(data, rng):
    start = rng.integers(0, len(data))
    del data[start : start + rng.integers(1, 50)]


def change_length(data, rng):
    """Put an extreme number where one may be."""
    position = rng.integers(0, len(data))
    extreme = (b"\xff" * 4, b"\x00" * 4, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80")
    piece = extreme[rng.integers(len(extreme))]
    data[position : position + len(piece)] = piece


MUTATIONS = (flip, overwrite, truncate, splice, cut_out, change_length)


def mutate_bytes(content, rng):
    """The content with some bytes changed."""
    data = bytearray(content)
    if data:
        MUTATIONS[rng.integers(len(MUTATIONS))](data, rng)
    return bytes(data)


VALUES = (
    *(None, True, False, 0, 1, -1, 0.5, -0.5, 1e-320, 1e308, 2**31, 2**62, 2**63, -(2**63)),
    *(2**64, 10**17, 10**400, float("inf"), float("-inf"), float("nan")),
    *("", "x", "x" * 3000, "\x1b[31mred\nline", "\ud800", "../../etc/passwd", "a:b"),
    *([], {}, [[]], [0, 0], {"": 0}),
)
"""What may stand in JSON in place of anything else."""


def mutate_json(content, rng):
    """The JSON with a value changed, moved, added or left out; or with some bytes changed."""
    if rng.random() < 0.3:
        return mutate_bytes(content, rng)
    value = json.loads(content)
    places = list(_places(value))
    for _ in range(rng.integers(1, 3)):
        holder, key = places[rng.integers(len(places))]
        with contextlib.suppress(KeyError, IndexError):  # an earlier change has taken it
            _change(holder, key, places, rng)
    text = json.dumps(value)
    if rng.random() < 0.1:
        text = text.replace("{", '{"schema": 1, "schema": 1, ', 1)
    return text.encode()


def mutate_tensors(content, rng, mutate=mutate_json):
    """A safetensors file with a changed header, or with some bytes changed."""
    start = 8 + int.from_bytes(content[:8], "little")
    if rng.random() < 0.5:
        return mutate_bytes(content, rng)
    header = mutate(content[8:start], rng)
    return len(header).to_bytes(8, "little") + header + content[start:]


def _places(value):
    """Every place of a JSON value: what holds it, and the key or index there."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _change(holder, key, places, rng):
    match rng.integers(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[f"{key}_more"] = holder[key]
        case 2:
            other, at = places[rng.integers(len(places))]
            # As text first: a value that held itself could not be written.
            holder[key] = json.loads(json.dumps(other[at]))
        case 3 if isinstance(holder[key], int | float):
            holder[key] = [holder[key] + 1, -holder[key], holder[key] * 10**9][rng.integers(3)]
        case _:
            holder[key] = VALUES[rng.integers(len(VALUES))]


def outcome(read, content):
    """What is read, or the message of the refusal; any other error is a defect."""
    try:
        return read(content)
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def is_short_line(message, *names):
    """Whether a message is one line that a terminal shows, and short but for names of files."""
    length = len(message) - sum(len(name) for name in names)
    return is_one_line(message) and message.isprintable() and length < 330


def judge(number, found, refusal, *names):
    """Return whether it was ``"read"`` or ``"refused"``, which one short line must say.

    Args:
        number: of the damaged file, which makes it again.
        found: an ``outcome``.
        refusal: what the message of a refusal begins with.
        names: the files that it may name.
    """
    if not isinstance(found, str):
        return "read"
    assert found.startswith(f"InputError: {refusal}"), (number, found)
    assert is_short_line(found, *names), (number, found)
    return "refused"


def print_counts(counts):
    """Print how many were refused, how many read, and so on, where ``benchmarks/fuzz.py`` reads."""
    print("outcomes:", ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))


def both_seen(counts):
    """Print how many were read and how many refused; a test that saw one kind alone is none."""
    print_counts(counts)
    assert counts["refused"] > 0
    assert counts["read"] > 0


class _Watch:
    """Notes what a reader of files has no reason to do."""

    def __init__(self):
        self.on, self.seen = False, []

    def __call__(self, event, arguments):
        if self.on and event.startswith(_FORBIDDEN):
            self.seen.append((event, str(arguments)[:200]))


_watch = _Watch()
# It stays for good, which is why it is put there once.
sys.addaudithook(_watch)


@contextlib.contextmanager
def harmless():
    """Hold what is done within to running nothing, and to little time and memory."""
    before, begun = peak_memory(), time.process_time()
    _watch.on, _watch.seen = True, []
    try:
        yield
    finally:
        _watch.on = False
    assert not _watch.seen, _watch.seen
    assert time.process_time() - begun < _SECONDS
    assert peak_memory() - before < _MEMORY


def peak_memory():
    """KiB that this process has taken at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def damaged_files(quick):
    """Yield a number and a generator for each damaged file to make.

    Args:
        quick: how many there are where nobody asks for more.
    """
    count, before, longest = COUNT or quick, peak_memory(), 0.0
    for number in range(count):
        begun = time.process_time()
        yield number, np.random.default_rng(number)
        longest = max(longest, time.process_time() - begun)
    more = (peak_memory() - before) // 1024
    print(f"{count} damaged files; the slowest took {longest:.2f} s; {more} MiB more than before")
