"""Sphinx configuration: `make docs` builds the pages, and a warning is an error."""

from __future__ import annotations

from importlib.metadata import version as _version

project = "schild"
author = "The schild developers"
copyright = author
release = version = _version("schild")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]

# Only what the text names is linked: no address is fetched while building.
nitpicky = False
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False

# Listings in the design notes are sketches, not always whole TOML or Python.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"schild {release}"
html_copy_source = False
html_show_sphinx = False
