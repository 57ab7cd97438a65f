#!/bin/sh
# Runs once, when the database volume is empty: the product's role is no superuser, and owns its database only.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$(cat /run/secrets/database_password)" --username=postgres <<'SQL'
CREATE ROLE authz LOGIN PASSWORD :'password';
CREATE DATABASE authz OWNER authz;
SQL
