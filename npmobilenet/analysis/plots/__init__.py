"""Figures of the analysis, one module each; matplotlib is imported when a figure is drawn."""
