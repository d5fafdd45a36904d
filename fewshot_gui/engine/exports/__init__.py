"""Leaving with what was decided: files that other programs read, and the way back in."""
