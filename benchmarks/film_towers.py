"""Films a policy building a tower of each height, side by side, for the page about stacking.

python benchmarks/film_towers.py runs/clone-2 runs/clone-3 runs/clone-4 runs/clone-5 runs/clone-6
"""

import argparse
import tempfile
from itertools import zip_longest
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np
from PIL import Image

from headstart import load_policy, record_video

OUT = Path(__file__).parent.parent / "docs" / "images" / "towers.gif"
SIZE, EVERY = 150, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+", help="from the lowest tower on")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    films = [frames(run, arguments.seed) for run in arguments.runs]
    # A tower that is done stands until the highest one is.
    ends = [film[-1] for film in films]
    first, *rest = [
        beside([end if it is None else it for it, end in zip(row, ends, strict=True)])
        for row in zip_longest(*films)
    ]
    # Every fourth frame for 50 ms, and a step is 40 ms: three times as fast as it happens.
    first.save(OUT, save_all=True, append_images=rest, duration=50, loop=0, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size / 1e6:.1f} MB, {1 + len(rest)} frames")


def frames(run: Path, seed: int) -> list[Any]:
    """Return some of the frames of an episode of a run's policy, small ones."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        record_video(load_policy(run), path=film, episodes=1, seed=seed)
        return [
            np.asarray(Image.fromarray(frame).resize((SIZE, SIZE)))
            for number, frame in enumerate(imageio.get_reader(film))
            if number % EVERY == 0
        ]


def beside(pictures: list[Any]) -> Image.Image:
    return Image.fromarray(np.hstack(pictures)).quantize(64, method=Image.Quantize.FASTOCTREE)


if __name__ == "__main__":
    main()
