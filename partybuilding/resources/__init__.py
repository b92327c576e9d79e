"""What this floor's lists are read into and written from as tables (`core.sheets`)."""
