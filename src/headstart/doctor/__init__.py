"""Whether a machine is ready, and how to mend what is not."""
