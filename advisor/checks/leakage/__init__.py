"""Training that sees what it is judged on."""
