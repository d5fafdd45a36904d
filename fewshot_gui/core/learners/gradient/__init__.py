"""Learners that adapt the network itself by gradient steps on the support set."""
