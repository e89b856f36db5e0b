#!/bin/bash
# One part of Airflow in a container: airflow-service migrate|api-server|scheduler|dag-processor|worker
set -euo pipefail
part=${1:?migrate, api-server, scheduler, dag-processor or worker}

# AIRFLOW_UID may be of nobody here, and Airflow wants a name; the database is there, or its own waiting would be longer.
export USER=airflow CONNECTION_CHECK_MAX_COUNT=3

# The profile alone decides who runs the tasks.
case ",${COMPOSE_PROFILES:-}," in
*,celery,*) export AIRFLOW__CORE__EXECUTOR=CeleryExecutor ;;
esac

case $part in
migrate) set -- airflow db migrate ;;
api-server)
  python -c 'import json, os, sys; json.dump({os.environ["AIRFLOW_USERNAME"]: os.environ["AIRFLOW_PASSWORD"]}, sys.stdout)' \
    >"$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
  set -- airflow api-server
  ;;
# The API server reads the task logs from the volume that all parts have.
scheduler) set -- airflow scheduler --skip-serve-logs ;;
dag-processor) set -- airflow dag-processor ;;
worker) set -- airflow celery worker --skip-serve-logs --concurrency 4 ;;
*)
  echo "airflow-service: expected migrate, api-server, scheduler, dag-processor or worker, not '$part'" >&2
  exit 2
  ;;
esac
exec /entrypoint "$@"
