"""Errors of a policy, distinguished from those of its environment."""

import contextlib


def policy_name(policy: object) -> str:
    """Return what a message calls a policy or a demonstrator."""
    return str(getattr(policy, "__name__", type(policy).__name__))


class blaming_policy:  # noqa: N801 - A function to its callers; a generator costs a step dear.
    """Give an exception that the policy raises the policy's name, as its attribute ``policy``."""

    def __init__(self, policy: object) -> None:
        self._policy = policy

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Name the policy."""
        if isinstance(error, Exception | SystemExit):
            with contextlib.suppress(AttributeError):
                error.policy = policy_name(self._policy)  # type: ignore[union-attr]
