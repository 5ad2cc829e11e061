"""Studying networks: one module for each question, each returning plain data."""
