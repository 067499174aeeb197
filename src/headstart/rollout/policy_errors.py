"""Errors of a policy, distinguished from those of its environment."""

import contextlib
from collections.abc import Iterator


def policy_name(policy: object) -> str:
    """Return what a message calls a policy or a demonstrator."""
    return str(getattr(policy, "__name__", type(policy).__name__))


@contextlib.contextmanager
def blaming_policy(policy: object) -> Iterator[None]:
    """Give an exception that the policy raises the policy's name, as its attribute ``policy``."""
    try:
        yield
    except (Exception, SystemExit) as error:
        with contextlib.suppress(AttributeError):
            error.policy = policy_name(policy)  # type: ignore[union-attr]
        raise
