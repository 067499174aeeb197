"""Films one demonstration beside a policy that was learned from it, for the README.

headstart demos collect FetchPickAndPlace-v4 --episodes 1 --out one.npz
headstart train FetchPickAndPlace-v4 --demos one.npz --expand 100 --env-steps 2000 --out runs/one
python benchmarks/film.py one.npz runs/one
"""

import argparse
import itertools
import tempfile
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
from PIL import Image

from headstart import load_demos, load_policy, record_video
from headstart.viz.video import record_demos

OUT = Path(__file__).parent.parent / "docs" / "images" / "one-demonstration.gif"
SIZE, GAP = 270, 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("demos", type=Path, help="file of one demonstration, with states")
    parser.add_argument("run", type=Path)
    parser.add_argument("--episodes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=18)
    arguments = parser.parse_args()
    demos, policy = load_demos(arguments.demos), load_policy(arguments.run)
    with tempfile.TemporaryDirectory() as folder:
        shown, learned = Path(folder) / "demo.mp4", Path(folder) / "policy.mp4"
        record_demos(demos.episodes[:1], demos.env_id, shown)
        record_video(
            policy, demos.env_id, learned, episodes=arguments.episodes, seed=arguments.seed
        )
        # The demonstration begins again when it is over.
        left = itertools.cycle(frames(shown))
        right = frames(learned)
        first, *rest = [beside(*pair) for pair in zip(left, right, strict=False)]
    first.save(OUT, save_all=True, append_images=rest, duration=80, loop=0, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size / 1e6:.1f} MB, {len(right)} frames")


def frames(video: Path) -> list[object]:
    """Return every second frame of a video, to be shown for 80 ms: real time is 40 ms a step."""
    return [frame for number, frame in enumerate(imageio.get_reader(video)) if number % 2 == 0]


def beside(left: object, right: object) -> Image.Image:
    pictures = [np.asarray(Image.fromarray(it).resize((SIZE, SIZE))) for it in (left, right)]
    gap = np.full((SIZE, GAP, 3), 255, np.uint8)
    whole = Image.fromarray(np.hstack([pictures[0], gap, pictures[1]]))
    return whole.quantize(96, method=Image.Quantize.FASTOCTREE)


if __name__ == "__main__":
    main()
