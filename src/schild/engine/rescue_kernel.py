"""The compiled rescue kernel."""
