"""Where demonstrations come from and how they are kept."""
