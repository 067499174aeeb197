"""Many runs: seeds and settings, over the cores of a machine or of a cluster."""
