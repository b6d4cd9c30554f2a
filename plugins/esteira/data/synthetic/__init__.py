"""Laws of synthetic data, one module for each raw file that can be generated."""
