"""What flows into the loss, and whether the loss expects it."""
