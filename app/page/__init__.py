"""The page for people, GET / of a case: a form, its answer and why, files, and the model's card."""
