//! What platform settings may have: `platforms.kubernetes`, with the messages of `kubernetes_executor_config.proto`
//! (KFP 2.17). Their names may be of secrets, config maps and claims of the run's namespace.
use super::{
    Allowance::{Privileged, Scheduling},
    pod::{PULL_POLICY, TEXTS},
    shape::{
        Shape::{self, *},
        only_with, shapes, unless,
    },
    touches::Touched::{ConfigMap, Secret, VolumeClaim},
};

static USER: Shape = unless(&WireUser, Privileged, &Count);
static NOT_ROOT: Shape = unless(&True, Privileged, &Boolean);
static QUANTITIES: Shape = Map(&Text);

shapes! { Message;
    PLATFORMS { platforms: PLATFORM, }
    PLATFORM { kubernetes: KUBERNETES, }
    KUBERNETES {
        deploymentSpec: DEPLOYMENT,
        pipelineConfig: PIPELINE,
        platform: Word(&["kubernetes"]),
    }
    DEPLOYMENT { executors: ByLabel(&EXECUTOR), }
    PIPELINE {
        activeDeadlineSeconds: Count,
        resourceTtlOnCompletion: Count,
        resourceTtlOnFailure: Count,
        resourceTtlOnSuccess: Count,
        workspace: WORKSPACE,
    }
    WORKSPACE { kubernetes: WORKSPACE_KUBERNETES, size: Text, }
    WORKSPACE_KUBERNETES { pvcSpecPatch: WORKSPACE_CLAIM, }
    EXECUTOR {
        activeDeadlineSeconds: Count,
        configMapAsEnv: List(&CONFIG_MAP_AS_ENV),
        configMapAsVolume: List(&CONFIG_MAP_AS_VOLUME),
        emptyDirMounts: List(&EMPTY_DIR_MOUNT),
        enabledSharedMemory: SHARED_MEMORY,
        fieldPathAsEnv: List(&FIELD_PATH_AS_ENV),
        genericEphemeralVolume: List(&EPHEMERAL_VOLUME),
        imagePullPolicy: PULL_POLICY,
        imagePullSecret: List(&IMAGE_PULL_SECRET),
        initContainers: List(&INIT_CONTAINER),
        nodeAffinity: List(&NODE_AFFINITY),
        nodeSelector: NODE_SELECTOR,
        podAffinity: List(&POD_AFFINITY),
        podMetadata: POD_METADATA,
        pvcMount: List(&PVC_MOUNT),
        secretAsEnv: List(&SECRET_AS_ENV),
        secretAsVolume: List(&SECRET_AS_VOLUME),
        securityContext: SECURITY_CONTEXT,
        tolerations: List(&TOLERATION),
    }
    SECRET_AS_VOLUME {
        mountPath: Text,
        optional: Boolean,
        secretName: Name(Secret),
        secretNameParameter: SECRET_PARAMETER,
    }
    SECRET_AS_ENV {
        keyToEnv: List(&SECRET_KEY_TO_ENV),
        optional: Boolean,
        secretName: Name(Secret),
        secretNameParameter: SECRET_PARAMETER,
    }
    SECRET_KEY_TO_ENV { envVar: Text, secretKey: Text, }
    CONFIG_MAP_AS_VOLUME {
        configMapName: Name(ConfigMap),
        configMapNameParameter: CONFIG_MAP_PARAMETER,
        mountPath: Text,
        optional: Boolean,
    }
    CONFIG_MAP_AS_ENV {
        configMapName: Name(ConfigMap),
        configMapNameParameter: CONFIG_MAP_PARAMETER,
        keyToEnv: List(&CONFIG_MAP_KEY_TO_ENV),
        optional: Boolean,
    }
    CONFIG_MAP_KEY_TO_ENV { configMapKey: Text, envVar: Text, }
    PVC_MOUNT {
        componentInputParameter: Later(&Text),
        constant: Name(VolumeClaim),
        mountPath: Text,
        pvcNameParameter: CLAIM_PARAMETER,
        subPath: Text,
        taskOutputParameter: Later(&TASK_OUTPUT),
    }
    IMAGE_PULL_SECRET { secretName: Name(Secret), secretNameParameter: SECRET_PARAMETER, }
    POD_METADATA { annotations: Annotations, labels: Labels, }
    NODE_SELECTOR { labels: Map(&Text), nodeSelectorJson: DATA, }
    TOLERATION {
        effect: Text,
        key: Text,
        operator: Text,
        tolerationJson: DATA,
        tolerationSeconds: Count,
        value: Text,
    }
    REQUIREMENT { key: Text, operator: Text, values: TEXTS, }
    NODE_AFFINITY {
        matchExpressions: List(&REQUIREMENT),
        matchFields: List(&REQUIREMENT),
        nodeAffinityJson: DATA,
        weight: Count,
    }
    POD_AFFINITY {
        anti: Boolean,
        matchNamespaceExpressions: only_with(Scheduling, &List(&REQUIREMENT)),
        matchNamespaceLabels: only_with(Scheduling, &Map(&Text)),
        matchPodExpressions: List(&REQUIREMENT),
        matchPodLabels: Map(&Text),
        namespaces: only_with(Scheduling, &TEXTS),
        topologyKey: Text,
        weight: Count,
    }
    FIELD_PATH_AS_ENV { fieldPath: Text, name: Text, }
    EPHEMERAL_VOLUME {
        accessModes: TEXTS,
        defaultStorageClass: Boolean,
        metadata: POD_METADATA,
        mountPath: Text,
        size: Text,
        storageClassName: Text,
        volumeName: Text,
    }
    EMPTY_DIR_MOUNT { medium: Text, mountPath: Text, sizeLimit: Text, volumeName: Text, }
    SHARED_MEMORY { size: Text, volumeName: Text, }
    SECURITY_CONTEXT { runAsGroup: Count, runAsNonRoot: NOT_ROOT, runAsUser: USER, }
    INIT_CONTAINER {
        args: TEXTS,
        command: TEXTS,
        env: List(&ENV_VAR),
        image: Text,
        name: Text,
        resources: RESOURCES,
        restartPolicy: Word(&["Always"]),
        volumeMounts: List(&MOUNT),
    }
    ENV_VAR { name: Text, value: Text, }
    MOUNT { mountPath: Text, volumeName: Text, }
    RESOURCES { limits: QUANTITIES, requests: QUANTITIES, }
}

// It is Kubernetes' own, and merged into the claim of the workspace.
shapes! { Object; WORKSPACE_CLAIM { accessModes: TEXTS, storageClassName: Text, } }

/// Values that a task's inputs may give (`InputParameterSpec`): which object it is, is then known when the task runs.
macro_rules! parameters {
    ($($parameter:ident, $value:ident: $constant:expr;)*) => {
        shapes! { Message; $(
            $parameter {
                componentInputParameter: Later(&Text),
                runtimeValue: $value,
                taskOutputParameter: Later(&TASK_OUTPUT),
            }
            $value { constant: $constant, runtimeParameter: Later(&Text), }
        )* }
    };
}

parameters! {
    SECRET_PARAMETER, SECRET_VALUE: Name(Secret);
    CONFIG_MAP_PARAMETER, CONFIG_MAP_VALUE: Name(ConfigMap);
    CLAIM_PARAMETER, CLAIM_VALUE: Name(VolumeClaim);
}

// Data, which says where pods run and names no object.
shapes! { Message;
    DATA { componentInputParameter: Text, runtimeValue: DATA_VALUE, taskOutputParameter: TASK_OUTPUT, }
    DATA_VALUE { constant: Free, runtimeParameter: Text, }
    TASK_OUTPUT { outputParameterKey: Text, producerTask: Text, }
}
