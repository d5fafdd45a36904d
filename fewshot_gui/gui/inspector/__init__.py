"""The inspector: why a picture got its label."""
