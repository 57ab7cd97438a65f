"""Django's PostgreSQL, told in every transaction in whose name it is asked (settings.DATABASES names this package)."""
