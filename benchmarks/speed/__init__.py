"""How fast headstart trains, beside Stable-Baselines3 and beside the arithmetic alone."""
