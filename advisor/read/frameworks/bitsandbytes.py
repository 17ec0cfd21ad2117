"""bitsandbytes: optimizers with states of 8 bits."""
