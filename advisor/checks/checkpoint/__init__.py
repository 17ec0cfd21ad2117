"""What is saved and loaded back."""
