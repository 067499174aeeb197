"""The environments of ``envs.defective``, by their short names."""

from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env


def id_of(name):
    return f"envs.defective:{name}-v0"


def build_named(name):
    return make_env(id_of(name))


def spec_of(name):
    return GoalSpec.from_env(build_named(name))
