"""Episodic accuracy with 95 % intervals, calibration and open set."""
