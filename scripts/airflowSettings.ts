import type { AirflowSettings } from "@boxoffice/platform/airflowApi";
import { setting, type Variables } from "./settings.ts";

/** Airflow's address and login out of a service's environment. */
export function airflowSettings(environment: Variables): AirflowSettings {
  return {
    url: setting(environment, "AIRFLOW_URL"),
    username: setting(environment, "AIRFLOW_USERNAME"),
    password: setting(environment, "AIRFLOW_PASSWORD"),
  };
}
