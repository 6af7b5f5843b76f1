"""Virtual trials: the same people in every arm, day after day."""
