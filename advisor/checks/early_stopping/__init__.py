"""When and on what the run stops early."""
