"""Running episodes, here or in other processes."""
