"""The support panel: the categories and their examples."""
