"""Config files: read into one tree with a place for every key and value, whatever the format."""
