"""The model of Fetch, a table and blocks, made of the files that Gymnasium-Robotics installs."""

from importlib.util import find_spec
from pathlib import Path

import mujoco

COLORS = (
    (0.84, 0.15, 0.16),
    (0.12, 0.47, 0.71),
    (0.98, 0.75, 0.10),
    (0.17, 0.63, 0.17),
    (0.58, 0.40, 0.74),
    (1.00, 0.50, 0.05),
    (0.09, 0.75, 0.81),
    (0.89, 0.47, 0.76),
)
"""Red, green and blue of each block, and of its target."""
HALF_BLOCK = 0.025
_TARGET_RADIUS = 0.018
"""Targets are hidden within the blocks that are placed there."""
_TARGET_OPACITY = 0.55


def stack_model(num_blocks: int, width: int, height: int) -> mujoco.MjModel:
    """Return the model of ``FetchPickAndPlace`` with some blocks in place of one.

    Args:
        num_blocks: how many.
        width: of the pictures that can be drawn of it, in pixels.
        height: of these.
    """
    spec = mujoco.MjSpec.from_file(str(_fetch_file("pick_and_place.xml")))
    # Found by name at every step upstream; here the blocks have targets of their own.
    spec.site("target0").rgba = (0.0, 0.0, 0.0, 0.0)
    for number in range(num_blocks):
        color = COLORS[number % len(COLORS)]
        body = _block(spec, number)
        geom = body.first_geom()
        geom.material, geom.rgba = "", (*color, 1.0)
        spec.worldbody.add_site(
            name=f"goal{number}",
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=(_TARGET_RADIUS,) * 3,
            rgba=(*color, _TARGET_OPACITY),
        )
    model = spec.compile()
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    return model


def _block(spec: mujoco.MjSpec, number: int) -> mujoco.MjsBody:
    """Return the body of a block; the first one is there, others are made like it."""
    name = f"object{number}"
    if number == 0:
        return spec.body(name)
    first = spec.body("object0")
    joint, geom, site = first.first_joint(), first.first_geom(), first.first_site()
    body = spec.worldbody.add_body(name=name, pos=first.pos)
    body.add_joint(name=f"{name}:joint", type=joint.type, damping=joint.damping)
    body.add_geom(name=name, type=geom.type, size=geom.size, condim=geom.condim, mass=geom.mass)
    body.add_site(name=name, type=site.type, size=site.size, rgba=site.rgba)
    return body


def _fetch_file(name: str) -> Path:
    """Return where a file of Fetch is, without the seconds that importing its package takes."""
    found = find_spec("gymnasium_robotics")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "envs" / "assets" / "fetch" / name
