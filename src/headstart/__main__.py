"""``python -m headstart``, and what the ``headstart`` command starts."""

from headstart.cli.main import main

if __name__ == "__main__":
    main()
