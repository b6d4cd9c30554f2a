"""The services of this machine, Airflow and MLflow, and the live follow of a run."""
