#!/usr/bin/env python3
"""Whether a part of Airflow works: `airflow-healthy api-server|scheduler|dag-processor|worker`."""

import json
import os
import socket
import subprocess
import sys
from urllib.request import urlopen

TIMEOUT_SECONDS = 5


def ask(url: str) -> dict:
    """The JSON that an address answers with."""
    with urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
        return json.load(answer)


def is_healthy(part: str) -> bool:
    """Whether the part does its work."""
    if part == "api-server":
        return "status" in ask("http://127.0.0.1:8080/execution/health")
    if part in ("scheduler", "dag-processor"):
        # Their heartbeats are in the metadata database, which the API server reads.
        health = ask(f"{os.environ['AIRFLOW_URL']}/api/v2/monitor/health")
        return health[part.replace("-", "_")]["status"] == "healthy"
    app = "airflow.providers.celery.executors.celery_executor.app"
    node = f"celery@{socket.gethostname()}"
    ping = ["celery", "--app", app, "inspect", "ping", "--timeout", "4", "--destination", node]
    return subprocess.run(ping, capture_output=True, check=False).returncode == 0


sys.exit(0 if is_healthy(sys.argv[1]) else 1)
