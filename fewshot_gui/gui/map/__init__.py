"""The map: every picture between the categories that pull at it."""
