"""What an episode may take."""

EPISODE_TIMEOUT = 300.0
"""Seconds after which an episode is taken to hang."""
