import { rootPath } from "./boxHome.ts";
import { isLocal, readEnvFile, type Variables } from "./settings.ts";

/** What the box in the cloud must be told; each may not be left as config/aws.env.example has it. */
const addresses = ["S3_REGION", "S3_BUCKET", "WAREHOUSE_HOST", "WAREHOUSE_PORT", "WAREHOUSE_DB", "WAREHOUSE_USER"];
const isPlaceholder = (value: string) => /<[^>]*>/.test(value) || /change-?me|placeholder/i.test(value);
const isSecretName = (name: string) => /SECRET|PASSWORD|KEY|SQL_ALCHEMY_CONN|BROKER_URL|RESULT_BACKEND/.test(name);

/** Why the settings of a profile in the cloud cannot be used, a line each that names the variable and never its value. */
export function problemsOf(environment: Variables, development: Variables, local: Variables): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    const isOurs = addresses.includes(name) || name in development || name in local;
    if (isOurs && isPlaceholder(value)) problems.push(`${name} is still the example's placeholder`);
    else if (value !== "" && isSecretName(name) && value === development[name])
      problems.push(`${name} has the development value, which everybody knows`);
  }
  for (const name of [...addresses, "WAREHOUSE_PASSWORD", "AIRFLOW_PASSWORD"]) {
    if (!environment[name]) problems.push(`${name} is empty`);
  }
  for (const name of ["S3_ENDPOINT", "WAREHOUSE_HOST"]) {
    if (environment[name] && environment[name] === local[name])
      problems.push(`${name} is the address inside a local box, which this profile does not start`);
  }
  if (!environment.S3_ACCESS_KEY !== !environment.S3_SECRET_KEY)
    problems.push("S3_ACCESS_KEY and S3_SECRET_KEY are to be set both, or neither to use the role of the instance");
  return problems;
}

/**
 * The one-shot service of docker-compose.yml that the others wait for. A local box needs nothing of the user; a profile in
 * the cloud exits 1, naming each problem.
 */
function preflight(): void {
  if (isLocal(process.env as Variables)) return;
  const file = process.env.BOX_SETTINGS_FILE || `config/${process.env.COMPOSE_PROFILES}.env`;
  const local = readEnvFile(rootPath("config", "local.env"), process.env as Variables);
  const development = readEnvFile(rootPath("config", "dev-secrets.env"), process.env as Variables);
  const problems = problemsOf(process.env as Variables, development, local);
  if (problems.length === 0) {
    console.log(`preflight: the settings of the profile ${process.env.COMPOSE_PROFILES} are complete`);
    return;
  }
  console.error(`preflight: the box does not start with the profile ${process.env.COMPOSE_PROFILES}:`);
  for (const problem of problems) console.error(`  ${problem}`);
  console.error(`Set them in ${file} (config/aws.env.example shows how); ./box up generates Airflow's secrets.`);
  process.exitCode = 1;
}

if (process.argv[1]?.endsWith("preflight.ts")) preflight();
