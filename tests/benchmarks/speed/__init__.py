"""How long a lint takes, against what nothing can be faster than."""
