"""Speed and accuracy of the engine, measured beside other solvers on the same machine: ``python -m benchmarks``."""
