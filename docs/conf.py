"""How Sphinx builds the site: ``make docs``. Nothing on its pages comes from another server."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from npmobilenet import __version__

project = "npmobilenet"
author = "the npmobilenet contributors"
copyright = "the npmobilenet contributors, Apache-2.0"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
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

# A chapter is run again when its code has changed. One that fails stops the build.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 240
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give the types, with shapes
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False  # words such as "bytes" in a type would become links to attributes


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """A formula inside a line, as MathML: browsers draw it without a script."""
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    """A formula on a line of its own."""
    self.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the renderer of formulas."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
