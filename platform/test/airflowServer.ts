import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AirflowSettings } from "@boxoffice/platform/airflowApi";

export interface Answer {
  status: number;
  body?: unknown;
}

/** A server in Airflow's place: `POST /api/v2/...` is answered as told; what is told nothing gets no answer. */
export async function airflowServer(answers: Record<string, (token: string) => Answer>) {
  const asked: string[] = [];
  let logins = 0;
  const server = createServer((request, response) => {
    const question = `${request.method} ${request.url}`;
    asked.push(question);
    const reply = ({ status, body = {} }: Answer) => response.writeHead(status).end(JSON.stringify(body));
    const answer = answers[question];
    if (answer) reply(answer(request.headers.authorization?.replace("Bearer ", "") ?? ""));
    else if (question === "POST /auth/token") {
      logins += 1;
      reply({ status: 201, body: { access_token: `token ${logins}` } });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const settings: AirflowSettings = { url: `http://127.0.0.1:${port}`, username: "admin", password: "secret" };
  return {
    settings,
    asked,
    logins: () => logins,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
