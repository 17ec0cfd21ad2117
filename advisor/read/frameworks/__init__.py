"""What the reader knows of libraries: one module (or package) per library, named like its import root."""
