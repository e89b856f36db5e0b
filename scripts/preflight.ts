import { rootPath } from "./boxHome.ts";
import { isLocal, readEnvFile, type Variables } from "./settings.ts";

/** What the box in the cloud must be told; each may not be left as config/aws.env.example has it. */
const addresses = ["S3_REGION", "S3_BUCKET", "WAREHOUSE_HOST", "WAREHOUSE_PORT", "WAREHOUSE_DB", "WAREHOUSE_USER"];
const isPlaceholder = (value: string) => /<[^>]*>/.test(value) || /change-?me|placeholder/i.test(value);
const isSecretName = (name: string) => /SECRET|PASSWORD|KEY|SQL_ALCHEMY_CONN|BROKER_URL|RESULT_BACKEND/.test(name);

const everybodyKnows = "has the development value, which everybody knows";

/** Why the settings of a profile in the cloud cannot be used, a line each that names the variable and never its value. */
export function problemsOf(environment: Variables, development: Variables, local: Variables): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    const isOurs = addresses.includes(name) || name in development || name in local;
    if (isOurs && isPlaceholder(value)) problems.push(`${name} is still the example's placeholder`);
    else if (value !== "" && isSecretName(name) && value === development[name])
      problems.push(`${name} ${everybodyKnows}`);
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

/** Why a box may not open ports to other hosts: with these secrets whoever reaches them runs programs and reads the lake. */
export function problemsInTheLan(environment: Variables, development: Variables): string[] {
  const guards = ["SPARK_SECRET", "S3_ACCESS_KEY", "S3_SECRET_KEY"];
  const known = guards.filter((name) => environment[name] !== "" && environment[name] === development[name]);
  return known.map((name) => `${name} ${everybodyKnows}`);
}

/**
 * The one-shot service of docker-compose.yml that the others wait for. A local box needs nothing of the user; a profile in
 * the cloud exits 1, naming each problem, and so does a box that opens ports to other hosts.
 */
function preflight(): void {
  const environment = process.env as Variables;
  const development = readEnvFile(rootPath("config", "dev-secrets.env"), environment);
  if (environment.SPARK_LAN_ADDRESS) {
    const problems = problemsInTheLan(environment, development);
    const remedy = "Set others in .env.secrets; ./box up of a box from nothing generates them.";
    refuse(`with SPARK_LAN_ADDRESS=${environment.SPARK_LAN_ADDRESS}`, problems, remedy);
  }
  if (isLocal(environment)) return;
  const profiles = environment.COMPOSE_PROFILES;
  const file = environment.BOX_SETTINGS_FILE || `config/${profiles}.env`;
  const local = readEnvFile(rootPath("config", "local.env"), environment);
  const remedy = `Set them in ${file} (config/aws.env.example shows how); ./box up generates Spark's and Airflow's secrets.`;
  refuse(`with the profile ${profiles}`, problemsOf(environment, development, local), remedy);
  if (!process.exitCode) console.log(`preflight: the settings of the profile ${profiles} are complete`);
}

function refuse(what: string, problems: readonly string[], remedy: string): void {
  if (problems.length === 0) return;
  console.error(`preflight: the box does not start ${what}:`);
  for (const problem of problems) console.error(`  ${problem}`);
  console.error(remedy);
  process.exitCode = 1;
}

if (process.argv[1]?.endsWith("preflight.ts")) preflight();
