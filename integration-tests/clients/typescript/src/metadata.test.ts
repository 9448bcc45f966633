// What KFP's web UI asks of ML metadata, over gRPC-Web and in its order: first the pages of one run, then its lists.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createClient, ConnectError, Code } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { withToken } from "./bulkhead.js";
import { Execution_State } from "./gen/ml_metadata/proto/metadata_store_pb.js";
import { MetadataStoreService } from "./gen/ml_metadata/proto/metadata_store_service_pb.js";

const { KFP_HOST: baseUrl = "", RUN_ID: runId = "" } = process.env;

function as(variable: string | null) {
  const interceptors = variable ? [withToken(readFileSync(process.env[variable]!, "utf8").trim())] : [];
  return createClient(MetadataStoreService, createGrpcWebTransport({ baseUrl, interceptors }));
}

test("the pages of a run", { timeout: 60_000 }, async () => {
  const jane = as("KF_PIPELINES_SA_TOKEN_PATH");
  const { context } = await jane.getContextByTypeAndName({ typeName: "system.PipelineRun", contextName: runId });
  assert.equal(context?.name, runId);
  // Older servers had other names for it.
  for (const typeName of ["KfpRun", "pipeline_run"]) {
    assert.equal((await jane.getContextByTypeAndName({ typeName, contextName: runId })).context, undefined);
  }
  const { executions } = await jane.getExecutionsByContext({ contextId: context!.id });
  const root = executions.find((execution) => execution.customProperties["task_name"].value.value === "");
  assert.equal(root?.lastKnownState, Execution_State.COMPLETE);
  const tasks = executions.filter((execution) => execution.customProperties["parent_dag_id"]?.value.value === root!.id);
  assert.equal(tasks.length, executions.length - 1);
  const { artifacts } = await jane.getArtifactsByContext({ contextId: context!.id });
  // What its first task has put out, and the logs of both.
  assert.equal(artifacts.length, 3);
  const words = artifacts.find((artifact) => artifact.type === "system.Dataset")!;
  const executionIds = executions.map((execution) => execution.id);
  const { events } = await jane.getEventsByExecutionIDs({ executionIds });
  assert.deepEqual(new Set(events.map((event) => event.artifactId)), new Set(artifacts.map((artifact) => artifact.id)));
  const { events: same } = await jane.getEventsByArtifactIDs({ artifactIds: [words.id] });
  assert.deepEqual(new Set(same.map((event) => event.executionId)), new Set(
    events.filter((event) => event.artifactId === words.id).map((event) => event.executionId)));
  assert.equal((await jane.getArtifactsByID({ artifactIds: [words.id] })).artifacts[0].uri, words.uri);
  assert.equal((await jane.getExecutionsByID({ executionIds })).executions.length, executions.length);
  const { artifactTypes } = await jane.getArtifactTypes({});
  assert.ok(artifactTypes.some((type) => type.id === words.typeId && type.name === words.type));
  const { executionTypes } = await jane.getExecutionTypes({});
  assert.ok(executionTypes.some((type) => type.id === root!.typeId));
  assert.equal((await jane.getArtifactTypesByID({ typeIds: [words.typeId] })).artifactTypes.length, 1);
  assert.equal((await jane.getExecutionTypesByID({ typeIds: [root!.typeId] })).executionTypes.length, 1);
  const { contexts } = await jane.getContextsByExecution({ executionId: root!.id });
  assert.ok(contexts.some((found) => found.id === context!.id));
  assert.equal((await jane.getContextType({ typeName: "system.PipelineRun" })).contextType?.id, context!.typeId);
  // Numbers that are doubles in a browser keep all of their digits.
  for (const id of [context!.id, ...executionIds, words.id]) {
    assert.equal(BigInt(Number(id)), id);
  }
});

test("the lists of artifacts and executions", { timeout: 60_000 }, async () => {
  const jane = as("KF_PIPELINES_SA_TOKEN_PATH");
  const options = { maxResultSize: 1, orderByField: { field: 1, isAsc: false } };
  const first = await jane.getExecutions({ options });
  assert.equal(first.executions.length, 1);
  const second = await jane.getExecutions({ options: { ...options, nextPageToken: first.nextPageToken } });
  assert.notEqual(second.executions[0].id, first.executions[0].id);
  assert.ok((await jane.getArtifacts({ options })).artifacts.length === 1);
});

test("another tenant, and nobody", { timeout: 60_000 }, async () => {
  const john = as("OTHER_TOKEN_PATH");
  assert.equal((await john.getContextByTypeAndName({ typeName: "system.PipelineRun", contextName: runId })).context, undefined);
  const { executions } = await john.getExecutions({});
  assert.ok(executions.every((execution) => execution.name !== `run/${runId}`));
  await assert.rejects(as(null).getArtifacts({}), (error) => ConnectError.from(error).code === Code.Unauthenticated);
});
