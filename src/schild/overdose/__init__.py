"""Overdose and rescue: breathing, oxygen, collapse, and what an antagonist changes."""
