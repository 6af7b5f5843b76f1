"""Structural definition of a model, and its translations: arrays of the kernel, plain right-hand side, SBML."""
