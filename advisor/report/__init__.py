"""What is shown: one file per format. Each turns a result into text and prints nothing."""
