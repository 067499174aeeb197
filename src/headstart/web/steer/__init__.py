"""Stepping in while a policy is trained, from the browser."""
