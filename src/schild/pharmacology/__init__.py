"""Functions for kinetics, binding and effects, one for each published equation."""
