"""The backbones that are here, those that can be downloaded, and the way to one's own."""
