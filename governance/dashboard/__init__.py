"""The county organisation department's view of everything: figures, charts, and the rows behind each figure."""
