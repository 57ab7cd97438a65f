"""PostgreSQL and Valkey from wheels, and the one process that starts and stops everything behind `make run`."""
