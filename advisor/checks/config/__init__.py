"""Settings and who reads them."""
