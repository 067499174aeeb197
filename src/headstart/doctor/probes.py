"""What is tried in a process of its own: ``python -m headstart.doctor.probes PROBE ...``."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from headstart.errors import InputError
from headstart.text import printable

_STEPS = 50


def main(probe: str, *arguments: str) -> None:
    """Run a probe; each fact it finds, and an error if it fails, is a line on standard output."""
    answers = os.fdopen(os.dup(1), "w")
    # Whatever is imported here must not print into the answers.
    os.dup2(2, 1)

    def report(kind: str, what: Any) -> None:
        print(json.dumps([kind, what]), file=answers, flush=True)

    try:
        for fact in PROBES[probe](*arguments):
            report("fact", fact)
    except (
        BaseException
    ) as error:  # Some packages call sys.exit, or raise what is not an Exception.
        report("error", _describe(error))


def _imports(*modules: str) -> Iterator[dict[str, Any]]:
    """Import modules; yield each with what is wrong with it, as soon as that is known."""
    for module in modules:
        try:
            importlib.import_module(module)
            # Here, and not in a process of its own: to import torch takes longer than all else.
            about = _about_torch() if module == "torch" else {}
        except BaseException as error:
            yield {"module": module, "error": _describe(error)}
        else:
            yield {"module": module, "error": None, **about}


def _environment(env_id: str) -> Iterator[dict[str, float]]:
    """Build, reset and step an environment; yield the seconds it takes."""
    from headstart.envs.make import make_env

    started = time.perf_counter()
    env = make_env(env_id)
    env.reset(seed=0)
    built = time.perf_counter()
    env.action_space.seed(0)
    for _ in range(_STEPS):
        env.step(env.action_space.sample())
    stepped = time.perf_counter()
    env.close()
    yield {"build_seconds": built - started, "steps_per_second": _STEPS / (stepped - built)}


def _rendering(env_id: str) -> Iterator[str]:
    """Draw one picture of an environment; yield the kind of OpenGL that drew it."""
    from headstart.viz.gl import select_backend

    backend = select_backend()
    from headstart.envs.make import make_env

    env = make_env(env_id, render_mode="rgb_array")
    env.reset(seed=0)
    picture: Any = env.render()
    if picture.min() == picture.max():
        raise RuntimeError(f"{backend} draws empty pictures")
    env.close()
    yield backend


def _encoding() -> Iterator[str]:
    """Write a short video; yield the version of the ffmpeg that wrote it."""
    import imageio.v2 as imageio
    import imageio_ffmpeg
    import numpy as np

    # Tried first because imageio reports nothing of an ffmpeg that fails.
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-version"], check=True)
    frames = np.zeros((4, 64, 64, 3), np.uint8)
    with tempfile.TemporaryDirectory(prefix="headstart-") as scratch:
        imageio.mimwrite(Path(scratch, "test.mp4"), list(frames), fps=25, quality=8)
    yield imageio_ffmpeg.get_ffmpeg_version()


def _about_torch() -> dict[str, Any]:
    """Return how many threads torch takes here, which GPU it sees, and how it multiplies."""
    import torch

    from headstart.agents.precision import multiplies_bfloat16

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    threads = torch.get_num_threads()
    return {"threads": threads, "gpu": gpu, "bfloat16": multiplies_bfloat16()}


def _describe(error: BaseException) -> str:
    """Return what an error says in one line."""
    words = printable(" ".join(str(error).split()), longest=300)
    if isinstance(error, InputError):
        return words
    text = f"{type(error).__name__}: {words}" if words else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    # Those say themselves what is missing; where it was noticed would mislead.
    if isinstance(error, ImportError | OSError | subprocess.SubprocessError) or not frames:
        return text
    return f"{text} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"


PROBES: dict[str, Callable[..., Iterator[Any]]] = {
    "imports": _imports,
    "environment": _environment,
    "rendering": _rendering,
    "encoding": _encoding,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
