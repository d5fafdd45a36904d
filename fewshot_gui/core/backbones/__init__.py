"""Networks, their weights and preprocessing as one bundle."""
