"""What runs in the container: FastAPI over one bundle."""
