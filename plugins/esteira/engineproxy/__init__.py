"""Stands between Airflow and the Docker engine, and lets through only what a release of this home needs."""
