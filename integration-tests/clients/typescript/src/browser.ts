// What a page of another origin does in a browser: it reads, writes, and understands refusals. It tells its own server.
import { Code, ConnectError } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { clients, withToken } from "./bulkhead.js";

const asked = new URLSearchParams(location.search);
const baseUrl = asked.get("host")!;
const namespace = asked.get("namespace")!;

function as(token: string | null) {
  return clients(createGrpcWebTransport({ baseUrl, interceptors: token ? [withToken(token)] : [] }));
}

async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(() => "none", (error) => `${Code[ConnectError.from(error).code]}: ${ConnectError.from(error).rawMessage}`);
}

async function verdict() {
  const displayName = `by a browser ${Date.now()}`;
  const { experiments, runs } = as(asked.get("token"));
  const made = await experiments.createExperiment({ experiment: { displayName, namespace } });
  const listed = await experiments.listExperiments({ namespace, sortBy: "created_at desc", pageSize: 1 });
  return {
    found: listed.experiments[0].experimentId === made.experimentId,
    absent: await refusal(runs.getRun({ runId: made.experimentId })),
    foreign: await refusal(runs.listRuns({ namespace: asked.get("other")! })),
    nobody: await refusal(as(null).runs.listRuns({ namespace })),
    // The header is readable only if the server exposes it to pages.
    rest: await fetch(`${baseUrl}/apis/v2beta1/experiments?namespace=${namespace}`, {
      headers: { authorization: `Bearer ${asked.get("token")}` },
    }).then((answer) => [answer.status, answer.headers.has("x-request-id")]),
  };
}

const body = await verdict().then(JSON.stringify, (error) => `failed: ${error}`);
await fetch("/", { method: "POST", body });
