"""To be described by tables-config, who is writing this table now."""
