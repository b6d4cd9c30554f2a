"""From raw files to a cleaned dataset: find, synthesize, read, check, clean, describe."""
