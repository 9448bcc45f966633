//! The tables, as the migrations make them.
diesel::table! {
    experiments (id) {
        id -> Text,
        namespace -> Text,
        name -> Text,
        description -> Text,
        created_at -> BigInt,
        last_run_at -> BigInt,
        storage_state -> Text,
        created_by -> Text,
    }
}

diesel::table! {
    pipelines (id) {
        id -> Text,
        namespace -> Text,
        name -> Text,
        display_name -> Text,
        description -> Text,
        created_at -> BigInt,
        tags -> Text,
        created_by -> Text,
    }
}

diesel::table! {
    pipeline_versions (id) {
        id -> Text,
        namespace -> Text,
        pipeline_id -> Text,
        name -> Text,
        display_name -> Text,
        description -> Text,
        created_at -> BigInt,
        code_source_url -> Text,
        tags -> Text,
        spec_hash -> Text,
        created_by -> Text,
        package_url -> Text,
    }
}

diesel::table! {
    recurring_runs (id) {
        id -> Text,
        namespace -> Text,
        experiment_id -> Text,
        name -> Text,
        description -> Text,
        service_account -> Text,
        pipeline_id -> Text,
        version_id -> Text,
        version_name -> Text,
        spec_hash -> Text,
        parameters -> Text,
        pipeline_root -> Text,
        cron -> Text,
        interval_seconds -> BigInt,
        starts_at -> BigInt,
        ends_at -> BigInt,
        max_concurrency -> BigInt,
        catchup -> Bool,
        enabled -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
        created_by -> Text,
        owner -> Text,
        time_zone -> Text,
        fault -> Text,
    }
}

diesel::table! {
    schedules (id) {
        id -> Text,
        namespace -> Text,
        next_at -> BigInt,
        last_at -> BigInt,
        fired -> BigInt,
        waiting -> Bool,
        revision -> BigInt,
    }
}

diesel::table! {
    ticks (recurring_run_id, fire_at) {
        recurring_run_id -> Text,
        fire_at -> BigInt,
        namespace -> Text,
        outcome -> Text,
        until_at -> BigInt,
        moments -> BigInt,
        reason -> Text,
        run_id -> Text,
        decided_at -> BigInt,
        fencing_token -> BigInt,
    }
}

diesel::table! {
    leases (name) {
        name -> Text,
        holder -> Text,
        fencing_token -> BigInt,
        beat -> BigInt,
    }
}

diesel::table! {
    run_metrics (run_id, node_id, name) {
        run_id -> Text,
        namespace -> Text,
        node_id -> Text,
        name -> Text,
        value -> Double,
        format -> Text,
    }
}

diesel::table! {
    reported_tasks (id) {
        id -> Text,
        namespace -> Text,
        run_id -> Text,
        pipeline_name -> Text,
        execution_id -> Text,
        fingerprint -> Text,
        created_at -> BigInt,
        finished_at -> BigInt,
    }
}

diesel::table! {
    runs (id) {
        id -> Text,
        namespace -> Text,
        experiment_id -> Text,
        name -> Text,
        description -> Text,
        storage_state -> Text,
        service_account -> Text,
        pipeline_id -> Text,
        version_id -> Text,
        version_name -> Text,
        spec_hash -> Text,
        parameters -> Text,
        pipeline_root -> Text,
        created_at -> BigInt,
        scheduled_at -> BigInt,
        finished_at -> BigInt,
        state -> Text,
        history -> Text,
        error -> Text,
        recurring_run_id -> Text,
        created_by -> Text,
        terminated_by -> Text,
        engine -> Text,
        backend -> Text,
        revision -> BigInt,
        outputs -> Text,
    }
}

diesel::table! {
    tasks (id) {
        id -> Text,
        namespace -> Text,
        run_id -> Text,
        name -> Text,
        display_name -> Text,
        state -> Text,
        created_at -> BigInt,
        started_at -> BigInt,
        finished_at -> BigInt,
        attempt -> Integer,
        history -> Text,
        error -> Text,
        parent_id -> Text,
        path -> Text,
        kind -> Text,
        cached_from -> Text,
        fingerprint -> Text,
        pipeline_name -> Text,
        revision -> BigInt,
        input_parameters -> Text,
        output_parameters -> Text,
        engine -> Text,
    }
}

diesel::table! {
    artifacts (id) {
        id -> Text,
        namespace -> Text,
        run_id -> Text,
        name -> Text,
        kind -> Text,
        schema_version -> Text,
        instance_schema -> Text,
        uri -> Text,
        metadata -> Text,
        materialized -> Bool,
        created_at -> BigInt,
        description -> Text,
        number_value -> Text,
        producer_task -> Text,
        producer_key -> Text,
    }
}

diesel::table! {
    artifact_tasks (task_id, direction, name, position) {
        namespace -> Text,
        run_id -> Text,
        task_id -> Text,
        direction -> Text,
        name -> Text,
        position -> Integer,
        artifact_id -> Text,
        id -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    tokens (id) {
        id -> Text,
        hash -> Text,
        username -> Text,
        user_groups -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> BigInt,
        verbs -> Text,
        namespaces -> Text,
        description -> Text,
        made_with -> Text,
    }
}

diesel::table! {
    counts (namespace, kind, parent, storage_state, part) {
        namespace -> Text,
        kind -> Text,
        parent -> Text,
        storage_state -> Text,
        part -> Integer,
        total -> BigInt,
    }
}

diesel::table! {
    specs (namespace, hash) {
        namespace -> Text,
        hash -> Text,
        content -> Binary,
        size -> BigInt,
    }
}

diesel::table! {
    secrets (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Text,
        at -> BigInt,
        request_id -> Text,
        what -> Text,
        username -> Text,
        proof -> Text,
        verb -> Text,
        resource -> Text,
        namespace -> Text,
        object -> Text,
        allowed -> Bool,
        reason -> Text,
    }
}

diesel::table! {
    metadata_slots (namespace) {
        namespace -> Text,
        slot -> BigInt,
        next_id -> BigInt,
    }
}

diesel::table! {
    metadata_runs (run_id) {
        run_id -> Text,
        namespace -> Text,
        context_id -> BigInt,
        pipeline_id -> BigInt,
        next_id -> BigInt,
        end_id -> BigInt,
    }
}

diesel::table! {
    metadata_nodes (namespace, id) {
        namespace -> Text,
        id -> BigInt,
        kind -> Text,
        source -> Text,
        object -> Text,
        run_id -> Text,
        type_id -> BigInt,
        name -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    metadata_types (namespace, id) {
        namespace -> Text,
        id -> BigInt,
        name -> Text,
    }
}

diesel::table! {
    metadata_backlog (run_id) {
        run_id -> Text,
        namespace -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(pipelines, pipeline_versions, runs, tasks);
diesel::allow_tables_to_appear_in_same_query!(artifacts, artifact_tasks, tasks);
diesel::allow_tables_to_appear_in_same_query!(artifacts, runs);
diesel::allow_tables_to_appear_in_same_query!(artifact_tasks, runs);
diesel::allow_tables_to_appear_in_same_query!(specs, runs);
diesel::allow_tables_to_appear_in_same_query!(specs, recurring_runs);
diesel::allow_tables_to_appear_in_same_query!(specs, pipeline_versions);
diesel::allow_tables_to_appear_in_same_query!(schedules, recurring_runs, runs);
diesel::allow_tables_to_appear_in_same_query!(metadata_nodes, metadata_runs);
diesel::allow_tables_to_appear_in_same_query!(metadata_nodes, artifact_tasks);
diesel::allow_tables_to_appear_in_same_query!(metadata_nodes, artifacts);
diesel::allow_tables_to_appear_in_same_query!(metadata_runs, artifact_tasks);
