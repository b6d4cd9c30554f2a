"""From a file that nobody has described to a case: its form, its columns, its target, and why."""
