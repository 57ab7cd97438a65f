"""The yardstick of a drain: the deployment's own Celery app with one more task, which writes one row and no more."""

from celery import Celery
from django.db import connection

from workers.app import app

PLAIN = "benchmarks.plain"
TABLE = "CREATE TABLE plain (id bigserial PRIMARY KEY, at timestamptz NOT NULL)"


@app.task(name=PLAIN)
def plain() -> None:
    """Write one row."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO plain (at) VALUES (clock_timestamp())")


def send(app: Celery, number: int) -> None:
    """Put so many of them into the queue."""
    with app.connection_for_write() as line, app.amqp.producer_pool.acquire() as producer:
        del line
        for _ in range(number):
            app.send_task(PLAIN, producer=producer, ignore_result=True)
