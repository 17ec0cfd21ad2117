"""The abstract reader: executes a Python program on values that are known, possible or unknown, and notes what happens."""
