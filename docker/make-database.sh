#!/bin/sh
# Runs once, when the database volume is empty. Neither role is a superuser: one owns the database and migrates it, the
# product is the other, and owns nothing.
set -eu
psql --set=ON_ERROR_STOP=1 --set=owner_password="$(cat /run/secrets/owner_password)" \
    --set=password="$(cat /run/secrets/database_password)" --username=postgres <<'SQL'
CREATE ROLE authz LOGIN PASSWORD :'owner_password';
CREATE ROLE authz_app LOGIN PASSWORD :'password';
CREATE DATABASE authz OWNER authz;
SQL
