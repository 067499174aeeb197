"""Demonstrations from nothing: objects moved by chance, relabelled, and expanded."""
