"""Overdose and rescue: breathing, oxygen and collapse, with and without an antagonist."""
