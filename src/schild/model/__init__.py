"""One structural definition of a model and its readings: kernel arrays, plain right-hand side, SBML."""
