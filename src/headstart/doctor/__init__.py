"""Whether a machine is ready, and how to repair what is not."""
