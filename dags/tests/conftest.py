"""Airflow with a home of its own that no other test or user sees, set before it is imported."""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="boxoffice-airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "false"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(ROOT / "dags")
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "dags" / "plugins")
sys.path[:0] = [str(ROOT), str(ROOT / "dags")]
