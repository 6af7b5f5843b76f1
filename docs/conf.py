"""Sphinx configuration: `make docs` builds the pages, and a warning is an error."""

from __future__ import annotations

from importlib.metadata import version as _version
from pathlib import Path
from types import ModuleType

from docutils import nodes
from sphinx.domains import Domain
from sphinx.ext.napoleon.docstring import NumpyDocstring

import schild
from schild.catalog.references import parse_bibtex

project = "schild"
author = "The schild developers"
copyright = author
release = version = _version("schild")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",  # runs the figures of the gallery
]
plot_formats = ["svg"]
plot_html_show_source_link = plot_html_show_formats = False
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
# Letters of shapes, such as (n,), are names of attributes too: a link to one of several is none that matters.
suppress_warnings = ["misc.highlighting_failure", "ref.python"]

html_theme = "furo"
html_title = f"schild {release}"
html_copy_source = False
html_show_sphinx = False

# A verb and the module that it lives in may share a name: the reference shows the verb.
for _name in schild.__all__:
    getattr(schild, _name)
for _name in schild.__all__:
    if isinstance(_value := getattr(schild, _name), ModuleType):
        setattr(schild, _name, getattr(_value, _name))


def _described(docstring):
    """Take the description of a field or property as a whole: napoleon reads what precedes a colon as its type."""
    lines = [docstring._lines.next(), *docstring._dedent(docstring._consume_to_end())]
    return "", docstring.__class__(lines, docstring._config).lines()


NumpyDocstring._consume_inline_attribute = _described


def _cite(name, rawtext, text, lineno, inliner, options=None, content=None):
    """Show ``:cite:t:`Key``` of a docstring as the entry of the bibliography."""
    unknown = [key for key in map(str.strip, text.split(",")) if key not in _ENTRIES]
    if unknown:
        message = inliner.reporter.error(f"No entry of a bibliography is called {', '.join(unknown)}.", line=lineno)
        return [inliner.problematic(rawtext, rawtext, message)], [message]
    return [nodes.inline(rawtext, "; ".join(_ENTRIES[key.strip()] for key in text.split(",")))], []


_ENTRIES = {
    entry.key: entry.label
    for path in Path(schild.__file__).parent.rglob("*.bib")
    for entry in parse_bibtex(path.read_text(encoding="utf-8"))
}


class Citations(Domain):
    """The roles ``cite:t`` and ``cite:p`` of docstrings."""

    name, label = "cite", "Citations"
    roles = dict.fromkeys(("t", "p"), _cite)

    def merge_domaindata(self, docnames, otherdata):
        """Nothing is kept."""


def setup(app):
    """Add the citations."""
    app.add_domain(Citations)
    return {"parallel_read_safe": True}
