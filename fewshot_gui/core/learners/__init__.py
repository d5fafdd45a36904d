"""From a support set to a classifier; one method a file, one interface."""
