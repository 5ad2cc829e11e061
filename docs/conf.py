"""How Sphinx builds the site: ``make docs``. Nothing on its pages comes from another server."""

import re
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.writers.html5 import HTML5Translator

from npmobilenet import __version__

sys.path.insert(0, str(Path(__file__).parent))
from offline import foreign_addresses

project = "npmobilenet"
author = "the npmobilenet contributors"
copyright = "the npmobilenet contributors, Apache-2.0"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx.ext.viewcode",
    "sphinx_click",
]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"npmobilenet {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": True}
html_show_sourcelink = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Every chapter is run anew, because the library may have changed. One that fails stops the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 240
nb_execution_show_tb = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give the types, with shapes
numpydoc_show_class_members = False  # autodoc shows them
smartquotes_action = "qe"  # --option is no dash


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """A formula inside a line, as MathML: browsers draw it without a script."""
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    """A formula on a line of its own."""
    self.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def escape_stars(
    _app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """``array (N, *shape)`` as a type is a shape and not the start of emphasis."""
    for number, line in enumerate(lines):
        if re.match(r"\s*(\w[\w, ]* : |array \()", line):
            lines[number] = re.sub(r"\(N, \*", r"(N, \\*", line)


def check_offline(app: Sphinx, exception: Exception | None) -> None:
    """Fail if a page needs the network."""
    found = [] if exception else foreign_addresses(Path(app.outdir))
    if found:
        raise SphinxError("pages fetch from other servers: " + "; ".join(found))


def setup(app: Sphinx) -> None:
    """Register the renderer of formulas, the repair of types and the check of the site."""
    app.connect("autodoc-process-docstring", escape_stars, priority=100)  # before numpydoc
    app.connect("build-finished", check_offline)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
