//! What v1 manifests may have: the fields of Argo's Workflow, from 3.6 to 4.0, that are known to be harmless.
//!
//! Not there on purpose, since nothing that kfp 1 compiles has them and each is a way of its own to the controller, to
//! another object or out of the pod: `metrics`, `memoize`, `data`, `http`, `containerSet`, `shutdown`, `suspend` of a
//! workflow, `workflowMetadata`, `artifactRepositoryRef`, `labelsFrom`, `finalizers` and `ownerReferences`.
use super::{
    Allowance::{
        ArtifactGc, ArtifactLocations, Hooks, HostAliases, HostNamespaces, Plugins, PodSpecPatch, ResourceTemplates,
        Scheduling, ServiceAccounts, Synchronization, TemplateRefs,
    },
    pod::{
        AFFINITY, CLAIM, CONFIG_MAP_KEY, CONTAINER, DNS, LABEL_SELECTOR, LOCAL_SECRET, POD_SECURITY_CONTEXT, SCRIPT,
        SECRET_KEY, TEXTS, TOLERATION, USER_CONTAINER, VOLUME,
    },
    shape::{
        Shape::{self, *},
        only_with, shapes, unless,
    },
    touches::Touched::ServiceAccount,
};

static OTHER_ACCOUNT: Shape = Name(ServiceAccount);
/// The account of a template, of its executor or of what deletes artifacts.
static ACCOUNT: Shape = unless(&Account, ServiceAccounts, &OTHER_ACCOUNT);
/// Whether pods have the token of their account. They may go without.
static AUTOMOUNT: Shape = unless(&False, ServiceAccounts, &Boolean);
static PATCH: Shape = only_with(PodSpecPatch, &Text);
static PLUGIN: Shape = only_with(Plugins, &Free);
static HOOKS: Shape = only_with(Hooks, &ByLabel(&HOOK));
static REF: Shape = only_with(TemplateRefs, &TEMPLATE_REF);
static RANK: Shape = only_with(Scheduling, &Scalar);
static HOSTS: Shape = only_with(HostAliases, &List(&HOST_ALIAS));
static TOLERATIONS: Shape = List(&TOLERATION);
static VOLUMES: Shape = List(&VOLUME);

shapes! { Object;
    WORKFLOW {
        apiVersion: Text,
        kind: Text,
        metadata: METADATA,
        spec: SPEC,
        status: NO_STATUS,
    }
    METADATA {
        annotations: Annotations,
        creationTimestamp: Nothing,
        generateName: Text,
        labels: Labels,
        name: Text,
    }
    /// What Go writes of a status that there is not.
    NO_STATUS { finishedAt: Nothing, startedAt: Nothing, }
    SPEC {
        activeDeadlineSeconds: Count,
        affinity: AFFINITY,
        archiveLogs: Boolean,
        arguments: ARGUMENTS,
        artifactGC: only_with(ArtifactGc, &WORKFLOW_GC),
        automountServiceAccountToken: AUTOMOUNT,
        dnsConfig: DNS,
        dnsPolicy: unless(&Word(&["ClusterFirst", "Default", "None"]), HostNamespaces, &Text),
        entrypoint: Text,
        executor: EXECUTOR,
        hooks: HOOKS,
        hostAliases: HOSTS,
        hostNetwork: unless(&False, HostNamespaces, &Boolean),
        imagePullSecrets: List(&LOCAL_SECRET),
        nodeSelector: Map(&Text),
        onExit: Text,
        parallelism: Count,
        podDisruptionBudget: DISRUPTION_BUDGET,
        podGC: POD_GC,
        podMetadata: POD_METADATA,
        podPriority: RANK,
        podPriorityClassName: RANK,
        podSpecPatch: PATCH,
        priority: RANK,
        retryStrategy: RETRY,
        schedulerName: RANK,
        securityContext: POD_SECURITY_CONTEXT,
        serviceAccountName: unless(&RunAccount, ServiceAccounts, &OTHER_ACCOUNT),
        synchronization: SYNCHRONIZATION,
        templateDefaults: TEMPLATE,
        templates: List(&TEMPLATE),
        tolerations: TOLERATIONS,
        ttlStrategy: TTL,
        volumeClaimGC: CLAIM_GC,
        volumeClaimTemplates: List(&CLAIM),
        volumes: VOLUMES,
        workflowTemplateRef: only_with(TemplateRefs, &WORKFLOW_REF),
    }
    TEMPLATE {
        activeDeadlineSeconds: Count,
        affinity: AFFINITY,
        annotations: Annotations,
        archiveLocation: ARCHIVE_LOCATION,
        automountServiceAccountToken: AUTOMOUNT,
        container: CONTAINER,
        daemon: Boolean,
        dag: DAG,
        executor: EXECUTOR,
        failFast: Boolean,
        hostAliases: HOSTS,
        initContainers: List(&USER_CONTAINER),
        inputs: INPUTS,
        metadata: POD_METADATA,
        name: Text,
        nodeSelector: Map(&Text),
        outputs: OUTPUTS,
        parallelism: Count,
        plugin: PLUGIN,
        podSpecPatch: PATCH,
        priority: RANK,
        priorityClassName: RANK,
        resource: unless(&CLAIM_RESOURCE, ResourceTemplates, &RESOURCE),
        retryStrategy: RETRY,
        schedulerName: RANK,
        script: SCRIPT,
        securityContext: POD_SECURITY_CONTEXT,
        serviceAccountName: ACCOUNT,
        sidecars: List(&USER_CONTAINER),
        steps: List(&STEPS),
        suspend: SUSPEND,
        synchronization: SYNCHRONIZATION,
        templateRef: REF,
        timeout: Text,
        tolerations: TOLERATIONS,
        volumes: VOLUMES,
    }
    POD_METADATA { annotations: Annotations, labels: Labels, }
    DAG { failFast: Boolean, target: Text, tasks: List(&TASK), }
    STEP {
        arguments: ARGUMENTS,
        continueOn: CONTINUE_ON,
        hooks: HOOKS,
        inline: TEMPLATE,
        name: Text,
        onExit: Text,
        template: Text,
        templateRef: REF,
        when: Text,
        withItems: List(&Free),
        withParam: Text,
        withSequence: SEQUENCE,
    }
    TASK { ..STEP, dependencies: TEXTS, depends: Text, }
    CONTINUE_ON { error: Boolean, failed: Boolean, }
    SEQUENCE { count: Count, end: Count, format: Text, start: Count, }
    HOOK { arguments: ARGUMENTS, expression: Text, template: Text, templateRef: REF, }
    TEMPLATE_REF { clusterScope: Boolean, name: Text, template: Text, }
    WORKFLOW_REF { clusterScope: Boolean, name: Text, }
    SUSPEND { duration: Count, }
    EXECUTOR { serviceAccountName: ACCOUNT, }
    HOST_ALIAS { hostnames: TEXTS, ip: Text, }
    RETRY { affinity: RETRY_AFFINITY, backoff: BACKOFF, expression: Text, limit: Count, retryPolicy: Text, }
    RETRY_AFFINITY { nodeAntiAffinity: Nothing, }
    BACKOFF { cap: Count, duration: Count, factor: Count, maxDuration: Count, }
    TTL { secondsAfterCompletion: Count, secondsAfterFailure: Count, secondsAfterSuccess: Count, }
    DISRUPTION_BUDGET { maxUnavailable: Count, minAvailable: Count, }
    CLAIM_GC { strategy: Word(&["OnWorkflowCompletion", "OnWorkflowSuccess"]), }
    /// The controller writes it into an annotation of each pod and reads it again.
    POD_GC {
        deleteDelayDuration: Duration,
        labelSelector: LABEL_SELECTOR,
        strategy: Word(&["OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"]),
    }
}

static STEPS: Shape = List(&STEP);

// Data that goes in and out.
shapes! { Object;
    ARGUMENTS { artifacts: List(&ARTIFACT), parameters: List(&PARAMETER), }
    INPUTS { artifacts: List(&ARTIFACT), parameters: List(&PARAMETER), }
    OUTPUTS { artifacts: List(&ARTIFACT), parameters: List(&PARAMETER), }
    PARAMETER {
        default: Scalar,
        description: Text,
        enum: List(&Scalar),
        globalName: Text,
        name: Text,
        value: Scalar,
        valueFrom: VALUE_FROM,
    }
    VALUE_FROM {
        configMapKeyRef: CONFIG_MAP_KEY,
        default: Scalar,
        expression: Text,
        jqFilter: Text,
        jsonPath: Text,
        parameter: Text,
        path: Text,
        supplied: Nothing,
    }
    /// Without a location an artifact is where the repository puts it, by names that the controller makes.
    LOCATION {
        artifactGC: only_with(ArtifactGc, &GC),
        azure: only_with(ArtifactLocations, &AZURE),
        gcs: only_with(ArtifactLocations, &GCS),
        oss: only_with(ArtifactLocations, &OSS),
        plugin: PLUGIN,
        s3: only_with(ArtifactLocations, &S3),
    }
    ARCHIVE_LOCATION { ..LOCATION, archiveLogs: Boolean, }
    ARTIFACT { ..LOCATION,
        archive: ARCHIVE,
        archiveLogs: Boolean,
        from: Text,
        fromExpression: Text,
        git: GIT,
        globalName: Text,
        http: HTTP,
        mode: Count,
        name: Text,
        optional: Boolean,
        path: Text,
        raw: RAW,
        recurseMode: Boolean,
        subPath: Text,
    }
    ARCHIVE { none: Nothing, tar: TAR, zip: Nothing, }
    TAR { compressionLevel: Count, }
    RAW { data: Text, }
    HTTP { headers: List(&HTTP_HEADER), url: Text, }
    HTTP_HEADER { name: Text, value: Text, }
    GIT {
        branch: Text,
        depth: Count,
        disableSubmodules: Boolean,
        fetch: TEXTS,
        insecureIgnoreHostKey: Boolean,
        passwordSecret: SECRET_KEY,
        repo: Text,
        revision: Text,
        singleBranch: Boolean,
        sshPrivateKeySecret: SECRET_KEY,
        usernameSecret: SECRET_KEY,
    }
    S3 {
        accessKeySecret: SECRET_KEY,
        bucket: Text,
        caSecret: SECRET_KEY,
        endpoint: Text,
        insecure: Boolean,
        key: Text,
        region: Text,
        roleARN: Text,
        secretKeySecret: SECRET_KEY,
        sessionTokenSecret: SECRET_KEY,
        useSDKCreds: Boolean,
    }
    GCS { bucket: Text, key: Text, serviceAccountKeySecret: SECRET_KEY, }
    OSS {
        accessKeySecret: SECRET_KEY,
        bucket: Text,
        endpoint: Text,
        key: Text,
        secretKeySecret: SECRET_KEY,
        useSDKCreds: Boolean,
    }
    AZURE { accountKeySecret: SECRET_KEY, blob: Text, container: Text, endpoint: Text, useSDKCreds: Boolean, }
    GC { podMetadata: POD_METADATA, serviceAccountName: ACCOUNT, strategy: Text, }
    WORKFLOW_GC { ..GC, forceFinalizerRemoval: Boolean, podSpecPatch: PATCH, }
}

// What the controller does for a template.
shapes! { Object;
    /// A new volume, which says in full what it is.
    CLAIM_RESOURCE {
        action: Word(&["apply", "create"]),
        failureCondition: Text,
        manifest: ClaimText,
        setOwnerReference: Boolean,
        successCondition: Text,
    }
    RESOURCE {
        action: Text,
        failureCondition: Text,
        flags: TEXTS,
        manifest: Text,
        manifestFrom: MANIFEST_FROM,
        mergeStrategy: Text,
        setOwnerReference: Boolean,
        successCondition: Text,
    }
    MANIFEST_FROM { artifact: ARTIFACT, }
    SYNCHRONIZATION { mutex: MUTEX, mutexes: List(&MUTEX), semaphore: SEMAPHORE, semaphores: List(&SEMAPHORE), }
    MUTEX { database: SHARED, name: Text, namespace: ELSEWHERE, }
    SEMAPHORE { configMapKeyRef: CONFIG_MAP_KEY, database: DATABASE, namespace: ELSEWHERE, }
}

static SHARED: Shape = unless(&False, Synchronization, &Boolean);
static ELSEWHERE: Shape = only_with(Synchronization, &Text);
static DATABASE: Shape = only_with(Synchronization, &DATABASE_KEY);
shapes! { Object; DATABASE_KEY { key: Text, } }
