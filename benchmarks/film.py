"""Films a run's best policy as a small animation for the README.

python benchmarks/film.py runs/benchmark/pick-and-place-fast-0
"""

import argparse
import tempfile
from pathlib import Path

import imageio.v2 as imageio
from PIL import Image

from headstart import load_policy, record_video

OUT = Path(__file__).parent.parent / "docs" / "images" / "policy.gif"
SIZE = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--episodes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=18)
    arguments = parser.parse_args()
    policy = load_policy(arguments.run)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "film.mp4"
        env_id = policy.metadata["env_id"]
        record_video(policy, env_id, video, episodes=arguments.episodes, seed=arguments.seed)
        frames = [shrink(frame) for frame in imageio.get_reader(video)]
    # Every second frame at 80 ms: real time is 40 ms a step.
    first, *rest = frames[::2]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    first.save(OUT, save_all=True, append_images=rest, duration=80, loop=0)
    print(f"{OUT}: {OUT.stat().st_size / 1e6:.1f} MB, {len(frames)} frames")


def shrink(frame: object) -> Image.Image:
    picture = Image.fromarray(frame).resize((SIZE, SIZE))
    return picture.quantize(128, method=Image.Quantize.FASTOCTREE)


if __name__ == "__main__":
    main()
