"""How often and how soon a task is tried again; every task states its own execution timeout."""

from datetime import timedelta

RETRIES = {
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=1),
}
