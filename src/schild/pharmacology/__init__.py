"""One published equation per function: kinetics, binding, effects."""
