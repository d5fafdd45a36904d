"""Sorting files, taking it back, watching a folder, and labels out and in."""
