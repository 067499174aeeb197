"""Demonstrations in the files of others."""
