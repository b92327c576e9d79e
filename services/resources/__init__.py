"""The lists of this floor as tables."""
