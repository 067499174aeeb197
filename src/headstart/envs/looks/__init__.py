"""What can be wrong with a goal environment, one subject a file."""
