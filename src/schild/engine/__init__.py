"""Compiled kernels, random streams and the executor: arrays only, no names, no units."""
