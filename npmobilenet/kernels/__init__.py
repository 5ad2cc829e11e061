"""Kernels in Python, compiled by Numba: every operation as loops over a tile of registers."""
