"""Whether the environment of the main job works, and what can draw it."""

from collections.abc import Iterator, Sequence

from headstart.doctor.check import Check
from headstart.doctor.child import ask, unset_advice
from headstart.doctor.packages import GRAPHICS

# Up to three kinds of OpenGL are tried, each for at most a minute, before one is used.
_SECONDS = 300.0
_OPENGL = "on Debian or Ubuntu run `apt-get install libegl1 libosmesa6 libgl1-mesa-dri`"
_REINSTALL = (
    "repair the packages above; if they are ok, run `pip install --force-reinstall --no-deps "
    "gymnasium-robotics`"
)


def check_simulation(env_id: str) -> Iterator[Check]:
    """Build, reset and step an environment; if that works, draw a picture without a screen."""
    answer = ask("environment", env_id, seconds=_SECONDS)
    if answer.error is None:
        times = answer.facts[0]
        built = f"built and reset in {times['build_seconds']:.1f} s"
        found = f"{env_id} {built}, {times['steps_per_second']:.0f} steps/s on one core"
        yield Check("simulator", "ok", found)
        yield _opengl(env_id)
        return
    repair = unset_advice(GRAPHICS, lambda names: _works("environment", names, env_id))
    found = f"{env_id} does not run: {answer.error}"
    yield Check("simulator", "problem", found, repair or _REINSTALL)
    yield Check("opengl", "advice", "not tried without a simulator", "repair the simulator first")


def check_ffmpeg() -> Iterator[Check]:
    """Write a short video."""
    answer = ask("encoding", seconds=_SECONDS)
    if answer.error is None:
        yield Check("ffmpeg", "ok", f"{answer.facts[0]} writes .mp4 videos")
        return
    repair = unset_advice(("IMAGEIO_FFMPEG_EXE",), lambda names: _works("encoding", names))
    again = "run `pip install --force-reinstall --no-deps imageio-ffmpeg`"
    found = f"no .mp4 videos, all else works: {answer.error}"
    yield Check("ffmpeg", "advice", found, repair or again)


def _opengl(env_id: str) -> Check:
    answer = ask("rendering", env_id, seconds=_SECONDS)
    if answer.error is None:
        return Check("opengl", "ok", f"{answer.facts[0]} draws without a window")
    repair = unset_advice(GRAPHICS, lambda names: _works("rendering", names, env_id))
    # What follows is how to repair it, which the line below says.
    error = answer.error.partition("; on Debian")[0]
    return Check(
        "opengl", "advice", f"no pictures or videos, all else works: {error}", repair or _OPENGL
    )


def _works(probe: str, unset: Sequence[str], *arguments: str) -> bool:
    return ask(probe, *arguments, seconds=_SECONDS, unset=unset).error is None
