"""The exceptions that are meant for the user, and how settings raise the first."""


class InputError(ValueError):
    """Bad input. The message is one line that names the thing, the value, and what to do.

    The command line prints it without a traceback and exits with code 2; any other exception is a
    defect of this library or of an environment and keeps its traceback.
    """


class EpisodeError(InputError):
    """An episode that fails however often it is run, through what its environment does in it.

    A run drops it and continues, within a budget.

    Args:
        reason: one line that names environment, seed and cause.
        env_steps: how many steps were taken before it failed, 0 if nobody knows.
        details: the traceback, if there is one.
    """

    def __init__(self, reason: str, env_steps: int = 0, details: str = "") -> None:
        super().__init__(reason, env_steps, details)
        self.reason, self.env_steps, self.details = reason, env_steps, details

    def __str__(self) -> str:
        return self.reason


class SharedInputError(InputError):
    """Bad input that every process of a run knows of; the first one says so for all."""


class RunError(RuntimeError):
    """A run that cannot continue, through no fault in what the user gave.

    The message says in words what happened and what is left; the command line prints it without a
    traceback of its own and exits with code 1.
    """


def require(holds: bool, rule: str, value: object) -> None:
    """Raise an ``InputError`` that states the rule and the value, unless the rule holds."""
    if not holds:
        raise InputError(f"{rule}, got {value}")
