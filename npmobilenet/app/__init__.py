"""A server on one's own machine: an HTTP endpoint, and a page in the browser beside it.

Needs the extra ``app``.
"""
