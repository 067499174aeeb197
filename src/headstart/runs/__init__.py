"""What lies on the disk: run directories, checkpoints, and how runs begin, stop and continue."""
