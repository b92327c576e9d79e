"""Reads over several models: of the loop (`loop`), and a module for each capability woven around it."""
