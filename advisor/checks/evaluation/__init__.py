"""Evaluation: the mode of the model, gradients, what is measured on what."""
