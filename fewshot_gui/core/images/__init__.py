"""Bytes to pixels: the one reader, picture identity and the folder scan."""
