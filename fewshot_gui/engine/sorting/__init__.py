"""Sorting files into folders: plan, apply, receipt, take back; nothing is lost or overwritten."""
