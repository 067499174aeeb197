"""Learners: networks, losses and updates, and nothing else."""
