"""The services in containers of their own, on PostgreSQL: what docker-compose.yml runs."""
