"""Pieces for other people's training code."""
