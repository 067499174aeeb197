"""What learns: settings, the loop, evaluation and metrics; nothing here touches a disk."""
