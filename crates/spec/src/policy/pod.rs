//! What pods may have: containers, volumes, where they run, and as whom (core/v1 of Kubernetes).
use super::{
    Allowance::{HostNamespaces, HostPath, NodeVolumes, Privileged, Scheduling, ServiceAccounts},
    shape::{
        Shape::{self, *},
        only_with, shapes, unless,
    },
    touches::Touched::{ConfigMap, Secret, VolumeClaim},
};

pub(super) static TEXTS: Shape = List(&Text);
pub(super) static PULL_POLICY: Shape = Word(&["Always", "IfNotPresent", "Never"]);
static QUANTITIES: Shape = Map(&Scalar);
static NUMBERS: Shape = List(&Number);
static OPERATOR: Shape = Word(&["DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"]);
static USER: Shape = unless(&User, Privileged, &Number);
static NOT_ROOT: Shape = unless(&True, Privileged, &Boolean);
static ON_HOST: Shape = only_with(HostNamespaces, &Scalar);
static CONFINEMENT: Shape = unless(&CONFINED, Privileged, &PROFILE);

// Containers. Probes and hooks have no `host`: the node would call it.
shapes! { Object;
    CONTAINER {
        args: TEXTS,
        command: TEXTS,
        env: List(&ENV_VAR),
        envFrom: List(&ENV_FROM),
        image: Text,
        imagePullPolicy: PULL_POLICY,
        lifecycle: LIFECYCLE,
        livenessProbe: PROBE,
        name: Text,
        ports: List(&PORT),
        readinessProbe: PROBE,
        resources: RESOURCES,
        securityContext: SECURITY_CONTEXT,
        startupProbe: PROBE,
        stdin: Boolean,
        stdinOnce: Boolean,
        terminationMessagePath: Text,
        terminationMessagePolicy: Text,
        tty: Boolean,
        volumeDevices: List(&DEVICE),
        volumeMounts: List(&MOUNT),
        workingDir: Text,
    }
    /// One beside the main container, or before it.
    USER_CONTAINER { ..CONTAINER, mirrorVolumeMounts: Boolean, restartPolicy: Word(&["Always"]), }
    /// One whose program is in the manifest.
    SCRIPT { ..CONTAINER, source: Text, }
    ENV_VAR { name: Text, value: Text, valueFrom: ENV_SOURCE, }
    ENV_SOURCE {
        configMapKeyRef: CONFIG_MAP_KEY,
        fieldRef: FIELD_REF,
        resourceFieldRef: RESOURCE_REF,
        secretKeyRef: SECRET_KEY,
    }
    ENV_FROM { configMapRef: CONFIG_MAP_REF, prefix: Text, secretRef: SECRET_REF, }
    CONFIG_MAP_KEY { key: Text, name: Name(ConfigMap), optional: Boolean, }
    SECRET_KEY { key: Text, name: Name(Secret), optional: Boolean, }
    CONFIG_MAP_REF { name: Name(ConfigMap), optional: Boolean, }
    SECRET_REF { name: Name(Secret), optional: Boolean, }
    FIELD_REF { apiVersion: Text, fieldPath: Text, }
    RESOURCE_REF { containerName: Text, divisor: Scalar, resource: Text, }
    RESOURCES { limits: QUANTITIES, requests: QUANTITIES, }
    PORT { containerPort: Count, hostIP: ON_HOST, hostPort: ON_HOST, name: Text, protocol: Text, }
    MOUNT {
        mountPath: Text,
        mountPropagation: unless(&Word(&["HostToContainer", "None"]), Privileged, &Text),
        name: Text,
        readOnly: Boolean,
        recursiveReadOnly: Text,
        subPath: Text,
        subPathExpr: Text,
    }
    DEVICE { devicePath: Text, name: Text, }
    LIFECYCLE { postStart: HANDLER, preStop: HANDLER, stopSignal: Text, }
    HANDLER { exec: EXEC, httpGet: HTTP_GET, sleep: SLEEP, tcpSocket: TCP_SOCKET, }
    PROBE {
        exec: EXEC,
        failureThreshold: Count,
        grpc: GRPC,
        httpGet: HTTP_GET,
        initialDelaySeconds: Count,
        periodSeconds: Count,
        successThreshold: Count,
        tcpSocket: TCP_SOCKET,
        terminationGracePeriodSeconds: Count,
        timeoutSeconds: Count,
    }
    EXEC { command: TEXTS, }
    HTTP_GET { httpHeaders: List(&HEADER), path: Text, port: Count, scheme: Text, }
    HEADER { name: Text, value: Text, }
    TCP_SOCKET { port: Count, }
    GRPC { port: Count, service: Text, }
    SLEEP { seconds: Count, }
}

// As whom: what Pod Security's "restricted" takes, but for users, who need not be said.
shapes! { Object;
    SECURITY_CONTEXT {
        allowPrivilegeEscalation: unless(&False, Privileged, &Boolean),
        appArmorProfile: CONFINEMENT,
        capabilities: CAPABILITIES,
        privileged: unless(&False, Privileged, &Boolean),
        procMount: unless(&Word(&["Default"]), Privileged, &Text),
        readOnlyRootFilesystem: Boolean,
        runAsGroup: Number,
        runAsNonRoot: NOT_ROOT,
        runAsUser: USER,
        seLinuxOptions: only_with(Privileged, &SE_LINUX),
        seccompProfile: CONFINEMENT,
        windowsOptions: only_with(Privileged, &WINDOWS),
    }
    POD_SECURITY_CONTEXT {
        appArmorProfile: CONFINEMENT,
        fsGroup: Number,
        fsGroupChangePolicy: Text,
        runAsGroup: Number,
        runAsNonRoot: NOT_ROOT,
        runAsUser: USER,
        seLinuxOptions: only_with(Privileged, &SE_LINUX),
        seccompProfile: CONFINEMENT,
        supplementalGroups: NUMBERS,
        supplementalGroupsPolicy: Text,
        sysctls: only_with(Privileged, &List(&SYSCTL)),
        windowsOptions: only_with(Privileged, &WINDOWS),
    }
    CAPABILITIES { add: only_with(Privileged, &TEXTS), drop: TEXTS, }
    /// A profile of seccomp or AppArmor: what the runtime brings, or what the administrator has put on the nodes.
    CONFINED { localhostProfile: Text, type: Word(&["Localhost", "RuntimeDefault"]), }
    PROFILE { localhostProfile: Text, type: Text, }
    SE_LINUX { level: Text, role: Text, type: Text, user: Text, }
    WINDOWS { gmsaCredentialSpec: Text, gmsaCredentialSpecName: Text, hostProcess: Boolean, runAsUserName: Text, }
    SYSCTL { name: Text, value: Text, }
}

// Volumes. Git repositories are not there: the node clones them, and runs what they say. Nor are the kinds that CSI
// drivers have replaced, each with secrets of its own.
shapes! { Object;
    VOLUME {
        configMap: CONFIG_MAP_VOLUME,
        csi: only_with(NodeVolumes, &CSI),
        downwardAPI: DOWNWARD_API,
        emptyDir: EMPTY_DIR,
        ephemeral: EPHEMERAL,
        hostPath: only_with(HostPath, &HOST_PATH),
        image: only_with(NodeVolumes, &IMAGE),
        name: Text,
        nfs: only_with(NodeVolumes, &NFS),
        persistentVolumeClaim: CLAIM_VOLUME,
        projected: PROJECTED,
        secret: SECRET_VOLUME,
    }
    CSI {
        driver: Text,
        fsType: Text,
        nodePublishSecretRef: LOCAL_SECRET,
        readOnly: Boolean,
        volumeAttributes: Map(&Text),
    }
    HOST_PATH { path: Text, type: Text, }
    IMAGE { pullPolicy: PULL_POLICY, reference: Text, }
    NFS { path: Text, readOnly: Boolean, server: Text, }
    EMPTY_DIR { medium: Text, sizeLimit: Scalar, }
    SECRET_VOLUME { defaultMode: Count, items: ITEMS, optional: Boolean, secretName: Name(Secret), }
    CONFIG_MAP_VOLUME { defaultMode: Count, items: ITEMS, name: Name(ConfigMap), optional: Boolean, }
    CLAIM_VOLUME { claimName: Name(VolumeClaim), readOnly: Boolean, }
    DOWNWARD_API { defaultMode: Count, items: List(&DOWNWARD_ITEM), }
    DOWNWARD_ITEM { fieldRef: FIELD_REF, mode: Count, path: Text, resourceFieldRef: RESOURCE_REF, }
    PROJECTED { defaultMode: Count, sources: List(&PROJECTION), }
    PROJECTION {
        configMap: CONFIG_MAP_PROJECTION,
        downwardAPI: DOWNWARD_PROJECTION,
        secret: SECRET_PROJECTION,
        serviceAccountToken: only_with(ServiceAccounts, &TOKEN),
    }
    CONFIG_MAP_PROJECTION { items: ITEMS, name: Name(ConfigMap), optional: Boolean, }
    SECRET_PROJECTION { items: ITEMS, name: Name(Secret), optional: Boolean, }
    DOWNWARD_PROJECTION { items: List(&DOWNWARD_ITEM), }
    TOKEN { audience: Text, expirationSeconds: Count, path: Text, }
    ITEM { key: Text, mode: Count, path: Text, }
    EPHEMERAL { volumeClaimTemplate: CLAIM, }
    /// A claim takes a new volume: it names none that is there already, nor another claim or a snapshot.
    CLAIM {
        apiVersion: Word(&["v1"]),
        kind: Word(&["PersistentVolumeClaim"]),
        metadata: CLAIM_METADATA,
        spec: CLAIM_SPEC,
        status: Nothing,
    }
    CLAIM_METADATA {
        annotations: Annotations,
        creationTimestamp: Nothing,
        generateName: Text,
        labels: Labels,
        name: Text,
    }
    CLAIM_SPEC {
        accessModes: TEXTS,
        resources: RESOURCES,
        storageClassName: Text,
        volumeMode: Text,
    }
}

static ITEMS: Shape = List(&ITEM);

// Where pods run.
shapes! { Object;
    TOLERATION { effect: Text, key: Text, operator: Text, tolerationSeconds: Count, value: Text, }
    AFFINITY { nodeAffinity: NODE_AFFINITY, podAffinity: POD_AFFINITY, podAntiAffinity: POD_AFFINITY, }
    NODE_AFFINITY {
        preferredDuringSchedulingIgnoredDuringExecution: List(&PREFERRED_NODES),
        requiredDuringSchedulingIgnoredDuringExecution: NODE_SELECTOR,
    }
    PREFERRED_NODES { preference: NODE_TERM, weight: Count, }
    NODE_SELECTOR { nodeSelectorTerms: List(&NODE_TERM), }
    NODE_TERM { matchExpressions: List(&REQUIREMENT), matchFields: List(&REQUIREMENT), }
    REQUIREMENT { key: Text, operator: OPERATOR, values: TEXTS, }
    POD_AFFINITY {
        preferredDuringSchedulingIgnoredDuringExecution: List(&PREFERRED_PODS),
        requiredDuringSchedulingIgnoredDuringExecution: List(&POD_TERM),
    }
    PREFERRED_PODS { podAffinityTerm: POD_TERM, weight: Count, }
    POD_TERM {
        labelSelector: LABEL_SELECTOR,
        matchLabelKeys: TEXTS,
        mismatchLabelKeys: TEXTS,
        namespaceSelector: only_with(Scheduling, &LABEL_SELECTOR),
        namespaces: only_with(Scheduling, &TEXTS),
        topologyKey: Text,
    }
    LABEL_SELECTOR { matchExpressions: List(&REQUIREMENT), matchLabels: Map(&Text), }
    DNS { nameservers: TEXTS, options: List(&DNS_OPTION), searches: TEXTS, }
    DNS_OPTION { name: Text, value: Text, }
    LOCAL_SECRET { name: Name(Secret), }
}
