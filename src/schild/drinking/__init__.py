"""Drinking in a session: laboratory experiments with alcohol, and what an antagonist takes from its value."""
