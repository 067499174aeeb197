"""What ``check_env`` finds of the environments of these tests, each of which is checked once."""

from functools import cache

from envs import habits, old

from headstart.envs.check import check_env


@cache
def report(name):
    module = "old" if name in old.NAMES else "habits" if name in habits.NAMES else "defective"
    return check_env(f"envs.{module}:{name}-v0")
