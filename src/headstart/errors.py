"""The one exception that means: what the user gave cannot be used."""


class InputError(ValueError):
    """Bad input. The message is one line that names the thing, the value, and what to do.

    The command line prints it without a traceback and exits with code 2; any other exception is a
    defect of this library or of an environment and keeps its traceback.
    """
