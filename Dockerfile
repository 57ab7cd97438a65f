# The product alone: no embedded servers, no build tools, no root.
FROM python:3.13-slim-trixie AS build

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH

# Only the list of packages first: the code changes often, and this layer then stays as it is.
COPY requirements/production.txt /tmp/production.txt
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r /tmp/production.txt

WORKDIR /app
COPY manage.py ./
# Where the `type` of every problem leads to.
COPY docs/problems.md ./docs/problems.md
COPY config ./config
COPY workers ./workers
COPY authz ./authz
# The settings want to be complete before they collect the static files; none of these values leaves this line.
RUN DJANGO_ENV=production \
    AUTHZ_SECRET_KEY=only-for-this-build-step-and-kept-nowhere \
    AUTHZ_ENCRYPTION_KEYS=only-for-this-build-step-and-kept-nowhere \
    AUTHZ_BASE_URL=https://build.invalid \
    DATABASE_URL=postgresql://build.invalid/authz \
    REDIS_URL=redis://build.invalid \
    python manage.py collectstatic --no-input \
 && python -m compileall -q config workers authz


FROM python:3.13-slim-trixie

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    DJANGO_ENV=production
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app

# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-m", "config.probe", "web"]
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--no-control-socket", "--worker-tmp-dir", "/dev/shm", \
     "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "60", "--graceful-timeout", "30", \
     "--access-logfile", "-"]
