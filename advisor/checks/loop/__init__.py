"""The order and meaning of backward, step and zero_grad."""
