// What one tenant has made is nobody else's, over every transport: not by its id, and not by its namespace.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport as createBrowserTransport } from "@connectrpc/connect-web";
import { clients, withToken } from "./bulkhead.js";

const { KFP_HOST: baseUrl = "", KFP_NAMESPACE: namespace = "", RUN_ID: runId = "" } = process.env;

function token(variable: string): Interceptor {
  return withToken(readFileSync(process.env[variable]!, "utf8").trim());
}

const transports: Record<string, (interceptors: Interceptor[]) => Transport> = {
  "gRPC": (interceptors) => createGrpcTransport({ baseUrl, interceptors }),
  "gRPC-Web over HTTP/1.1": (interceptors) => createGrpcWebTransport({ baseUrl, interceptors, httpVersion: "1.1" }),
  "gRPC-Web over HTTP/2": (interceptors) => createGrpcWebTransport({ baseUrl, interceptors, httpVersion: "2" }),
  "gRPC-Web as browsers speak it": (interceptors) => createBrowserTransport({ baseUrl, interceptors }),
};

for (const [name, transport] of Object.entries(transports)) {
  suite(name, { timeout: 60_000 }, async () => {
    const jane = clients(transport([token("KF_PIPELINES_SA_TOKEN_PATH")]));
    const john = clients(transport([token("OTHER_TOKEN_PATH")]));
    const nobody = clients(transport([]));
    const displayName = `${name} ${Date.now()}`;
    const { run, experiment } = {
      run: await jane.runs.getRun({ runId }),
      experiment: await jane.experiments.createExperiment({ experiment: { displayName, namespace } }),
    };

    test("a filter finds what was made", async () => {
      const filter = JSON.stringify({ predicates: [{ operation: "EQUALS", key: "display_name", string_value: displayName }] });
      const { experiments, totalSize } = await jane.experiments.listExperiments({ namespace, filter });
      assert.deepEqual(experiments.map((found) => found.experimentId), [experiment.experimentId]);
      assert.equal(totalSize, 1);
      const { runs } = await jane.runs.listRuns({ experimentId: run.experimentId });
      assert.deepEqual(runs.map((found) => found.runId), [runId]);
    });

    const calls: [string, Code, (of: typeof jane) => Promise<unknown>][] = [
      ["getExperiment", Code.NotFound, (of) => of.experiments.getExperiment({ experimentId: experiment.experimentId })],
      ["getRun", Code.NotFound, (of) => of.runs.getRun({ runId })],
      ["readLog", Code.NotFound, async (of) => {
        let bytes = 0;
        for await (const { data } of of.logs.readLog({ runId, nodeId: "write-words", follow: true })) {
          bytes += data.length;
        }
        assert.notEqual(bytes, 0);
      }],
      ["listRuns", Code.PermissionDenied, (of) => of.runs.listRuns({ namespace })],
      ["listPipelines", Code.PermissionDenied, (of) => of.pipelines.listPipelines({ namespace })],
      ["createExperiment", Code.PermissionDenied, (of) =>
        of.experiments.createExperiment({ experiment: { displayName: `${displayName} again`, namespace } })],
      // The last one: it is Jane's to do.
      ["deleteExperiment", Code.NotFound, (of) => of.experiments.deleteExperiment({ experimentId: experiment.experimentId })],
    ];
    for (const [call, refusal, by] of calls) {
      test(`${call} is Jane's alone`, async () => {
        await assert.rejects(by(john), (error) => ConnectError.from(error).code === refusal);
        await assert.rejects(by(nobody), (error) => ConnectError.from(error).code === Code.Unauthenticated);
        await by(jane);
      });
    }
  });
}
