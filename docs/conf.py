"""Sphinx: pages in Markdown, reference from the docstrings, gallery from examples/."""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nanospa
from figure_scraper import figures_of_example

project = "nanospa"
author = "the nanospa authors"
release = version = nanospa.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx_gallery.gen_gallery"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "images", "gallery/**/*.ipynb", "gallery/**/*.py", "**/README*"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
default_role = "code"

autodoc_typehints = "none"  # types stand in the docstrings, with shapes
numpydoc_show_class_members = False
# The classes of pydantic models inherit a hundred members that say nothing about ours.
autodoc_default_options = {"exclude-members": "model_config, model_fields, model_computed_fields"}

html_theme = "alabaster"
html_theme_options = {
    "description": "inorganic nanoparticles in electron-microscope images, at population scale",
    "page_width": "1200px",
    "body_max_width": "none",
    "fixed_sidebar": True,
}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
html_show_sourcelink = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"__init__",
    "image_scrapers": (figures_of_example,),
    "reset_modules": (),
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
}

# Sphinx pickles its configuration and cannot pickle the scraper's function; it only means that a page may be built again.
suppress_warnings = ["config.cache"]
warnings.filterwarnings("ignore", message=".*Agg, and thus cannot be shown.*")
