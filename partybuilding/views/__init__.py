"""Pages of this floor beside the desk."""
