"""Self-contained pages: no network, no script; figures as inline SVG with their numbers beside them.

``parts`` takes plain data and escapes it; ``simulation`` writes a run with it, ``result`` any result.
"""
