"""One self-contained page on runs: curves, successes, failures on film, settings."""
