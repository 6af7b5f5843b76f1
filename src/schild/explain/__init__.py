"""The executable answer: claims about a drug, each run and held against what was measured in people."""
