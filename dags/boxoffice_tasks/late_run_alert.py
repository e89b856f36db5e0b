"""What is said of a late run: a line in the log, and the same document to a webhook."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DagRunState

from boxoffice_tasks.webhook import WebhookFailed, post_document

log = logging.getLogger(__name__)

Json = dict[str, Any]

#: An address may hold a token, so it is in no log, and in no table of Airflow's.
SETTING = "ALERT_WEBHOOK_URL"


def report_late_run(context: Json) -> None:
    """Reports the run whose deadline has passed. Airflow calls it once for each such run.

    A webhook that fails is logged and raises nothing.
    """
    run = context["dag_run"]
    if run["state"] == DagRunState.SUCCESS:
        log.info("%s run %s has ended: nothing is late", run["dag_id"], run["dag_run_id"])
        return
    document = late_run_document(context)
    log.warning("late_run %s", json.dumps(document))
    url = os.environ.get(SETTING)
    if not url:
        return
    outcome = {key: document[key] for key in ("id", "dag", "run_id")}
    try:
        post_document(url, document)
    except WebhookFailed as failure:
        log.error("late_run_webhook_failed %s", json.dumps({**outcome, "reason": str(failure)}))
    else:
        log.info("late_run_webhook_sent %s", json.dumps(outcome))


def late_run_document(context: Json) -> Json:
    """The alert: times are ISO 8601 in UTC, `id` is the same when the same alert comes again."""
    from airflow.utils.helpers import build_airflow_dagrun_url

    run, deadline = context["dag_run"], context["deadline"]
    dag, run_id, state = run["dag_id"], run["dag_run_id"], str(run["state"])
    due = _utc(deadline["deadline_time"])
    return {
        "alert": "late_run",
        "id": deadline["id"],
        "text": f"{dag} run {run_id} is late: it was due at {due} and is {state}",
        "dag": dag,
        "run_id": run_id,
        "state": state,
        "queued_at": _utc(run["queued_at"]),
        "deadline": due,
        "url": build_airflow_dagrun_url(dag, run_id),
    }


def _utc(time: datetime | str) -> str:
    """An executor on another machine gets the deadline as a text."""
    parsed = datetime.fromisoformat(time) if isinstance(time, str) else time
    return parsed.astimezone(UTC).isoformat().replace("+00:00", "Z")
