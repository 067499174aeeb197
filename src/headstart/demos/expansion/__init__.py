"""New demonstrations from old ones, each verified in the simulator."""
