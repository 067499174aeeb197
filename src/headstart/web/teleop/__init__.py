"""Driving an environment in the browser, and keeping what was driven as demonstrations."""
