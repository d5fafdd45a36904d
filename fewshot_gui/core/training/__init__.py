"""Pre-training and meta-training as generators of step records."""
