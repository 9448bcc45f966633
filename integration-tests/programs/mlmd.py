"""The Python client of ML metadata, unmodified but for a token that an interceptor adds.

It proves that each of its read methods finds the runs of its own tenant, with their tasks, artifacts, events, contexts
and lineage, and nothing of another tenant's; that somebody with several namespaces sees the union of them; that filters
and pages work; that nobody gets in without a token; and that what it puts is refused with a text that says why.
"""
import collections
import os
import subprocess
import urllib.parse

import grpc
from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.metadata_store.metadata_store import ListOptions, OrderByField
from ml_metadata.proto import metadata_store_pb2 as mlmd

import rest

CallDetails = collections.namedtuple("CallDetails", ("method", "timeout", "metadata", "credentials"))
ABSENT = 5 << 40


class WithToken(grpc.UnaryUnaryClientInterceptor, grpc.ClientCallDetails):
    def __init__(self, token):
        self.token = token

    def intercept_unary_unary(self, continuation, details, request):
        metadata = [*(details.metadata or ()), ("authorization", f"Bearer {self.token}")]
        changed = type("Details", (CallDetails, grpc.ClientCallDetails), {})(
            details.method, details.timeout, metadata, details.credentials)
        return continuation(changed, request)


class Store(metadata_store.MetadataStore):
    """The client, for somebody."""

    def __init__(self, token):
        host, port = urllib.parse.urlsplit(os.environ["KFP_HOST"]).netloc.split(":")
        self.token = token
        super().__init__(mlmd.MetadataStoreClientConfig(host=host, port=int(port)))

    def _get_channel(self, config):
        channel = super()._get_channel(config)
        return grpc.intercept_channel(channel, WithToken(self.token)) if self.token else channel


def ids(found):
    return sorted(one.id for one in found)


def seed(who, namespace, name):
    experiment = who.experiment(f"mlmd {name}", namespace)
    pipeline = who.pipeline("words", f"mlmd-{name}", namespace)
    # The second run takes its results from the first.
    runs = [who.run(experiment, pipeline, f"{name} 1", {"how_many": 4, "expected": 6})]
    who.ended(runs[0])
    runs.append(who.run(experiment, pipeline, f"{name} 2", {"how_many": 4, "expected": 6}))
    assert who.ended(runs[1])["state"] == "SUCCEEDED"
    return runs


def everything(store):
    """The ids of all that somebody sees, by everything that lists."""
    return ids(store.get_artifacts()), ids(store.get_executions()), ids(store.get_contexts())


class Seen:
    """What a tenant sees of their own runs, checked as far as it can be from outside."""

    def __init__(self, token, runs, namespace):
        self.store, self.runs = Store(token), runs
        store = self.store
        self.contexts = [store.get_context_by_type_and_name("system.PipelineRun", run) for run in runs]
        for run, context in zip(runs, self.contexts):
            assert context.name == run and context.type == "system.PipelineRun", context
            assert context.custom_properties["namespace"].string_value == namespace
        executions = [store.get_executions_by_context(context.id) for context in self.contexts]
        self.executions = [one for of_run in executions for one in of_run]
        for run, of_run in zip(runs, executions):
            by_task = {one.custom_properties["task_name"].string_value: one for one in of_run}
            assert set(by_task) == {"", "write-words", "count-words"}, by_task.keys()
            root = by_task[""]
            assert (root.name, root.type) == (f"run/{run}", "system.DAGExecution"), root
            assert root.last_known_state == mlmd.Execution.COMPLETE, root
            for name in ("write-words", "count-words"):
                one = by_task[name]
                assert one.type == "system.ContainerExecution", one
                assert one.custom_properties["parent_dag_id"].int_value == root.id, one
                cached = run != runs[0]
                expected = mlmd.Execution.CACHED if cached else mlmd.Execution.COMPLETE
                assert one.last_known_state == expected, one
                assert ("cached_execution_id" in one.custom_properties) == cached, one
                assert one.custom_properties["outputs"].struct_value["Output"] == {"write-words": 4, "count-words": 6}[name], one
        artifacts = [store.get_artifacts_by_context(context.id) for context in self.contexts]
        # Both runs have the same ones, which the first has made: what a task has put out, and the logs of both.
        assert ids(artifacts[0]) == ids(artifacts[1]), artifacts
        self.artifacts = artifacts[0]
        (self.artifact,) = [one for one in self.artifacts if one.type == "system.Dataset"]
        assert len(self.artifacts) == 3, self.artifacts
        assert self.artifact.type == "system.Dataset" and self.artifact.state == mlmd.Artifact.LIVE, self.artifact
        assert self.artifact.custom_properties["lines"].double_value == 4, self.artifact
        assert self.artifact.custom_properties["display_name"].string_value == "words", self.artifact
        (self.pipeline,) = store.get_contexts_by_type("system.Pipeline")
        assert self.pipeline.name == "words", self.pipeline

    def all(self):
        contexts = [*self.contexts, self.pipeline]
        return ids(self.artifacts), ids(self.executions), ids(contexts)

    def reads(self):
        """Every read method, about what is one's own."""
        store, artifact, executions = self.store, self.artifact, ids(self.executions)
        contexts = ids([*self.contexts, self.pipeline])
        assert everything(store) == self.all(), (everything(store), self.all())
        assert ids(store.get_artifacts_by_id([artifact.id, ABSENT])) == [artifact.id]
        assert ids(store.get_executions_by_id([*executions, ABSENT])) == executions
        assert ids(store.get_contexts_by_id([*contexts, ABSENT])) == contexts
        found, types = store.get_artifacts_and_types_by_artifact_ids([artifact.id])
        assert ids(found) == [artifact.id] and [one.name for one in types] == ["system.Dataset"], types
        assert ids(store.get_artifacts_by_type("system.Dataset")) == [artifact.id]
        assert store.get_artifacts_by_type("system.Model") == []
        assert ids(store.get_executions_by_type("system.DAGExecution")) == ids(
            one for one in self.executions if one.type == "system.DAGExecution")
        assert ids(store.get_contexts_by_type("system.PipelineRun")) == ids(self.contexts)
        assert ids(store.get_artifacts_by_uri(artifact.uri)) == [artifact.id]
        assert store.get_artifacts_by_uri("s3://nowhere") == []
        for run in self.runs:
            assert store.get_execution_by_type_and_name("system.DAGExecution", f"run/{run}").id in executions
        assert store.get_artifact_by_type_and_name("system.Dataset", "words") is None
        assert store.get_context_by_type_and_name("system.PipelineRun", "no such run") is None
        assert store.get_context_by_type_and_name("system.Pipeline", "words").id == self.pipeline.id
        for by_external in (store.get_artifacts_by_external_ids, store.get_executions_by_external_ids,
                            store.get_contexts_by_external_ids, store.get_artifact_types_by_external_ids,
                            store.get_execution_types_by_external_ids, store.get_context_types_by_external_ids):
            assert by_external(["x"]) == []
        self.types()
        self.edges(executions)
        self.filters(executions)
        self.lineage(executions)

    def types(self):
        store = self.store
        for name, one, all_, by_id in (
                ("system.Dataset", store.get_artifact_type, store.get_artifact_types, store.get_artifact_types_by_id),
                ("system.DAGExecution", store.get_execution_type, store.get_execution_types, store.get_execution_types_by_id),
                ("system.Pipeline", store.get_context_type, store.get_context_types, store.get_context_types_by_id)):
            found = one(name)
            assert found.name == name and found in all_(), found
            assert by_id([found.id, ABSENT]) == [found]
            try:
                raise AssertionError(one("no such type"))
            except errors.NotFoundError:
                pass

    def edges(self, executions):
        store, artifact = self.store, self.artifact
        all_events = store.get_events_by_execution_ids(executions)
        assert {event.artifact_id for event in all_events} == set(ids(self.artifacts)), all_events
        events = [event for event in all_events if event.artifact_id == artifact.id]
        logs = [event for event in all_events if event.artifact_id != artifact.id]
        assert [(event.type, event.path.steps[0].key) for event in logs] == [(mlmd.Event.OUTPUT, "executor-logs")] * 4, logs
        assert events == sorted(store.get_events_by_artifact_ids([artifact.id]), key=lambda event: events.index(event))
        by_type = collections.Counter(event.type for event in events)
        assert by_type == {mlmd.Event.OUTPUT: 2, mlmd.Event.INPUT: 2}, events
        assert {event.path.steps[0].key for event in events} == {"words"}, events
        both = ids([*self.contexts, self.pipeline])
        assert ids(store.get_contexts_by_artifact(artifact.id)) == both
        for execution in executions:
            of_it = ids(store.get_contexts_by_execution(execution))
            assert len(of_it) == 2 and self.pipeline.id in of_it, of_it
        for context in self.contexts:
            assert ids(store.get_parent_contexts_by_context(context.id)) == [self.pipeline.id]
        assert ids(store.get_children_contexts_by_context(self.pipeline.id)) == ids(self.contexts)
        assert ids(store.get_executions_by_context(self.pipeline.id)) == executions

    def filters(self, executions):
        store, context = self.store, self.contexts[0]

        def found(query, list_=store.get_executions, **options):
            return ids(list_(list_options=ListOptions(filter_query=query, **options)))

        of_first = ids(store.get_executions_by_context(context.id))
        assert found(f"contexts_a.id = {context.id}") == of_first
        assert found(f"contexts_a.name = '{context.name}' AND contexts_a.type = 'system.PipelineRun'") == of_first
        assert found("custom_properties.task_name.string_value = 'write-words'") == [
            one.id for one in sorted(self.executions, key=lambda one: one.id)
            if one.custom_properties["task_name"].string_value == "write-words"]
        cached = found("last_known_state = CACHED")
        assert len(cached) == 2 and not set(cached) & set(of_first), cached
        assert found("type = 'system.DAGExecution' AND NOT name IS NULL") == found("name LIKE 'run/%'") != []
        assert len(found("events_0.type = OUTPUT")) == 4
        assert len(found("events_0.type = INPUT")) == 2
        assert found("uri LIKE '%' AND state = LIVE", store.get_artifacts) == ids(self.artifacts)
        assert found(f"child_contexts_a.name = '{context.name}'", store.get_contexts) == [self.pipeline.id]
        for order in OrderByField:
            for is_asc in (True, False):
                whole = [one.id for one in store.get_executions(ListOptions(order_by=order, is_asc=is_asc))]
                assert sorted(whole) == executions, whole
                assert [one.id for one in store.get_executions(ListOptions(limit=2, order_by=order, is_asc=is_asc))] == whole[:2]
        for wrong in ("name =", "no_such_thing = 1", "id = 'x'"):
            try:
                raise AssertionError(found(wrong))
            except errors.InvalidArgumentError as error:
                assert "filter_query" in str(error), error

    def lineage(self, executions):
        everywhere = self.store.get_lineage_subgraph(mlmd.LineageSubgraphQueryOptions(
            starting_artifacts=mlmd.LineageSubgraphQueryOptions.StartingNodes(filter_query=f"id = {self.artifact.id}"),
            max_num_hops=5, direction=mlmd.LineageSubgraphQueryOptions.BIDIRECTIONAL))
        tasks = [one.id for one in self.executions if one.type == "system.ContainerExecution"]
        assert ids(everywhere.executions) == sorted(tasks) and ids(everywhere.artifacts) == ids(self.artifacts), everywhere
        assert len(everywhere.events) == 8 and ids(everywhere.contexts) == ids([*self.contexts, self.pipeline])
        assert len(everywhere.associations) == 8 and len(everywhere.attributions) == 9, everywhere
        (writer,) = [one for one in self.store.get_executions_by_context(self.contexts[0].id)
                     if one.custom_properties["task_name"].string_value == "write-words"]
        start = mlmd.LineageSubgraphQueryOptions.StartingNodes(filter_query=f"id = {writer.id}")

        def reached(direction, hops):
            graph = self.store.get_lineage_subgraph(mlmd.LineageSubgraphQueryOptions(
                starting_executions=start, max_num_hops=hops, direction=direction), ["executions", "artifacts"])
            return len(graph.executions), len(graph.artifacts)

        options = mlmd.LineageSubgraphQueryOptions
        assert reached(options.DOWNSTREAM, 0) == (1, 0)
        assert reached(options.DOWNSTREAM, 1) == (1, 2)
        # Those that read it; the other one that has put it out is upstream of it.
        assert reached(options.DOWNSTREAM, 2)[0] == 3
        assert reached(options.UPSTREAM, 5) == (1, 0)

    def finds_nothing_of(self, other):
        """By everything that names what is another tenant's, as if it were not there."""
        store, artifacts, executions, contexts = self.store, ids(other.artifacts), ids(other.executions), ids(other.contexts)
        assert store.get_artifacts_by_id(artifacts) == []
        assert store.get_executions_by_id(executions) == []
        assert store.get_contexts_by_id(contexts) == []
        assert store.get_artifacts_by_uri(other.artifact.uri) == []
        assert store.get_events_by_execution_ids(executions) == [] == store.get_events_by_artifact_ids(artifacts)
        for run in other.runs:
            assert store.get_context_by_type_and_name("system.PipelineRun", run) is None
            assert store.get_execution_by_type_and_name("system.DAGExecution", f"run/{run}") is None
        for context in [*contexts, other.pipeline.id]:
            assert store.get_executions_by_context(context) == [] == store.get_artifacts_by_context(context)
            assert store.get_parent_contexts_by_context(context) == [] == store.get_children_contexts_by_context(context)
        assert store.get_contexts_by_artifact(artifacts[0]) == [] == store.get_contexts_by_execution(executions[0])
        query = ListOptions(filter_query=f"id IN ({', '.join(map(str, artifacts))})")
        assert store.get_artifacts(query) == []
        assert store.get_executions(ListOptions(filter_query=f"contexts_a.id = {contexts[0]}")) == []
        graph = store.get_lineage_subgraph(mlmd.LineageSubgraphQueryOptions(
            starting_artifacts=mlmd.LineageSubgraphQueryOptions.StartingNodes(filter_query=f"id = {artifacts[0]}")))
        assert graph == mlmd.LineageGraph(), graph


jane, john = rest.jane(), rest.john()
theirs = [(jane, os.environ["KFP_NAMESPACE"]), (john, os.environ["OTHER_NAMESPACE"])]
seen = [Seen(who.token, seed(who, namespace, namespace), namespace) for who, namespace in theirs]
for one, other in (seen, reversed(seen)):
    one.reads()
    one.finds_nothing_of(other)
slots = [{id_ >> 32 for part in one.all() for id_ in part} for one in seen]
assert len(slots[0]) == len(slots[1]) == 1 and slots[0] != slots[1], slots
assert all(0 < id_ < 1 << 53 for one in seen for part in one.all() for id_ in part)

# Who has two namespaces sees both together, and of two contexts of one name that of the first.
several = rest.Rest(token=rest.token("SEVERAL_TOKEN_PATH"))
spread = [seed(several, name, name) for name in ("sam-blue", "sam-green")]
store = Store(several.token)
names = {context.custom_properties["namespace"].string_value for context in store.get_contexts_by_type("system.PipelineRun")}
assert names == {"sam-blue", "sam-green"}, names
assert len(store.get_contexts_by_type("system.Pipeline")) == 2
first = store.get_context_by_type_and_name("system.Pipeline", "words")
runs_of_first = {context.name for context in store.get_children_contexts_by_context(first.id)}
assert runs_of_first == set(spread[0]), (runs_of_first, spread)

# A run that is deleted takes what there is of it along.
gone = spread[1][1]
answer = several.call("DELETE", f"/apis/v2beta1/runs/{gone}")
assert answer.status == 200, answer.text()
assert store.get_context_by_type_and_name("system.PipelineRun", gone) is None
assert len(store.get_contexts_by_type("system.PipelineRun")) == 3

# Nobody, and writers.
for token in ("", "not-a-token"):
    try:
        raise AssertionError(Store(token).get_artifacts())
    except errors.UnauthenticatedError:
        pass
try:
    raise AssertionError(seen[0].store.put_artifact_type(mlmd.ArtifactType(name="mine")))
except errors.UnimplementedError as error:
    assert "written by the server" in str(error), error
# Who may only look sees what there is, and writes nothing.
made = subprocess.run(
    [os.environ["BULKHEAD"], "token", "create", "--user", "viewer@example.com", "--expires", "1d", "--data-dir", os.environ["SERVER_DATA"]],
    capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True)
viewers = Store(made.stdout.strip().splitlines()[-1])
assert ids(viewers.get_artifacts()) == ids(seen[0].artifacts)
try:
    raise AssertionError(viewers.put_artifact_type(mlmd.ArtifactType(name="mine")))
except errors.PermissionDeniedError as error:
    assert "may not reportMetrics runs in any namespace" in str(error), error
print(f"{sum(len(part) for one in seen for part in one.all())} nodes of two tenants, each seeing their own")
