"""The contracts of platforms that run containers, each chosen by the request's path alone."""
