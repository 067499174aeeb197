"""Curves, videos and reports."""
