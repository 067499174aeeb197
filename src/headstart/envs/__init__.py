"""Goal environments behind one adapter."""
