//! Precedence, refusals, and the documentation of every key.
use super::*;

fn with(yaml: &str, vars: &[(&str, &str)], args: ServeArgs) -> anyhow::Result<Config> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), yaml).unwrap();
    let args = ServeArgs { config: Some(file.path().to_owned()), ..args };
    load(&args, vars.iter().map(|(name, value)| (name.to_string(), value.to_string())))
}

fn served(yaml: &str, vars: &[(&str, &str)]) -> anyhow::Result<Config> {
    with(yaml, vars, ServeArgs { profiles: Some("p".into()), ..Default::default() })
}

#[test]
fn later_sources_win() {
    let yaml = "data_dir: from-file\nauth: {user_header: from-file}\nexecutor: {max_tasks: 3}\n";
    let config = served(yaml, &[]).unwrap();
    assert_eq!((config.data_dir.to_str(), config.executor.max_tasks), (Some("from-file"), 3));
    let vars = [("KUBEFLOW_USERID_HEADER", "upstream"), ("BULKHEAD_DATA_DIR", "from-env"), ("MULTIUSER", "true")];
    let config = served(yaml, &vars).unwrap();
    assert_eq!((config.data_dir.to_str(), config.auth.user_header.as_str()), (Some("from-env"), "upstream"));
    let vars = [("KUBEFLOW_USERID_HEADER", "upstream"), ("BULKHEAD_AUTH_USER_HEADER", "ours")];
    assert_eq!(served(yaml, &vars).unwrap().auth.user_header, "ours");
    let args = || ServeArgs { data_dir: Some("from-flag".into()), profiles: Some("p".into()), ..Default::default() };
    let config = with(yaml, &[("BULKHEAD_DATA_DIR", "from-env")], args()).unwrap();
    assert_eq!(config.data_dir.to_str(), Some("from-flag"));
    let config = served("", &[("TOKEN_REVIEW_AUDIENCE", "kfp.example.com")]).unwrap();
    assert_eq!(config.auth.token_review.audiences, ["kfp.example.com"]);
    let lists = [("BULKHEAD_LISTEN", "127.0.0.1:1, 127.0.0.1:2"), ("BULKHEAD_EXECUTOR_PACKAGE_ENV", "A=b,C=d=e")];
    let config = served("", &lists).unwrap();
    assert_eq!((config.listen.len(), config.executor.package_env["C"].as_str()), (2, "d=e"));
}

#[test]
fn what_is_wrong_is_named() {
    for (yaml, vars, expect) in [
        ("listn: []", &[][..], "unknown field `listn`"),
        ("executor: {sandbox: chroot}", &[], "executor.sandbox"),
        ("database: {url: 'oracle://a:secret@b/c'}", &[], "database.url: postgres://… or mysql://… is wanted"),
        ("executor: {runner: docker}", &[], "executor.runner"),
        ("executor: {podman_pull: sometimes}", &[], "executor.podman_pull"),
        ("executor: {podman_network: bridge}", &[], "executor.podman_network"),
        ("executor: {max_tasks: 0}", &[], "executor.max_tasks"),
        ("pipelines: {url: {allowed_domains: ['https://x']}}", &[], "pipelines.url.allowed_domains"),
        ("pipelines: {url: {allowed_cidrs: [x]}}", &[], "pipelines.url.allowed_cidrs"),
        ("listen: [nowhere]", &[], "listen[0]"),
        ("a: [", &[], "line"),
        ("server_namespace: A_B", &[], "server_namespace"),
        ("", &[("MULTIUSER", "maybe")], "MULTIUSER"),
        ("", &[("BULKHEAD_NO_SUCH", "1")], "BULKHEAD_NO_SUCH"),
        ("", &[("MULTIUSER_SHARED_READ", "true")], "without a login"),
        ("auth: {trusted_proxies: [127.0.0.0/8]}", &[], "loopback"),
        ("auth: {trusted_proxies: ['::/0']}", &[], "loopback"),
        ("auth: {token_review: {enabled: true}}", &[], "set kubernetes.enabled"),
        ("kubernetes: {context: a}", &[], "kubernetes.kubeconfig"),
        ("kubernetes: {kubeconfig: a}", &[], "kubernetes.enabled"),
        ("kubernetes: {stale_after: 2.9}", &[], "kubernetes.stale_after"),
        ("kubernetes: {stale_after: 5, review_cache: 6}", &[], "kubernetes.review_cache"),
        ("authorization: {decider: review}", &[], "set kubernetes.enabled"),
        ("authorization: {decider: webhook}", &[], "authorization.decider"),
        ("multi_user: false\nlisten: ['0.0.0.0:1']", &[], "--insecure-listen"),
        ("multi_user: false\ncors: {allowed_origins: ['*']}", &[], "any web page"),
        ("audit: {sink: file}", &[], "audit.file"),
        ("audit: {file: a.log}", &[], "audit.sink"),
        ("audit: {fail_closed: true}", &[], "audit.sink"),
        ("audit: {sink: syslog}", &[], "audit.sink"),
        ("limits: {user_rate: -1}", &[], "limits.user_rate"),
        ("tokens: {cache: 61}", &[], "tokens.cache: 60s is the most"),
        ("limits: {user_burst: 0}", &[], "limits.user_burst"),
        ("limits: {max_message: 1000}", &[], "limits.max_message"),
        ("limits: {concurrency: 8, user_concurrency: 9}", &[], "limits.user_concurrency"),
        ("cors: {allowed_origins: ['*', 'https://ui.example.com']}", &[], "alone"),
        ("tls: {certificate: c}", &[], "tls.key is missing"),
        ("tls: {key: k}", &[], "tls.certificate is missing"),
        ("tls: {client_ca: a}", &[], "tls.client_ca"),
        ("tls: {certificate: c, key: k, require_client_certificate: true}", &[], "tls.require_client_certificate"),
        ("tls: {certificate: c, key: k, reload: 0}", &[], "tls.reload"),
        ("tls: {certificate: c}", &[("BULKHEAD_TLS_CLIENT_CA", "a")], "tls.key is missing"),
        ("retention: {interval: 0}", &[], "retention.interval"),
        ("retention: {namespace_max_count: {'Not one': 1}}", &[], "retention.namespace_max_count"),
        ("quotas: {pipelines: -1}", &[], "quotas.pipelines"),
        ("quotas: {namespaces: {Team_A: {pipelines: 1}}}", &[], "quotas.namespaces"),
        ("quotas: {namespaces: {team-a: {experiments: 1}}}", &[], "quotas.namespaces.team-a.experiments"),
        ("", &[("BULKHEAD_QUOTAS_NAMESPACES", "team-a=5")], "quotas.namespaces.team-a"),
        ("", &[("BULKHEAD_QUOTAS_NAMESPACES", "team-a=pipelines:few")], "quotas.namespaces.team-a.pipelines"),
        ("telemetry: {sample_ratio: 1.5}", &[], "telemetry.sample_ratio"),
        ("telemetry: {otlp_endpoint: 'collector:4317'}", &[], "telemetry.otlp_endpoint"),
        ("policy: {allow: [hostpath]}", &[], "policy.allow[0]: \"hostpath\" is nothing that can be allowed"),
        ("policy: {namespaces: {team-a: [hostpath]}}", &[], "policy.namespaces"),
        ("policy: {namespaces: {Team_A: []}}", &[], "policy.namespaces"),
        ("policy: {domains: [workflows.argoproj.io]}", &[], "policy.domains"),
        ("", &[("V1_ALLOWED_NAMESPACES", "a_b")], "policy.v1_allowed_namespaces"),
        ("", &[("BLOCK_V1_PIPELINES", "perhaps")], "BLOCK_V1_PIPELINES"),
        ("", &[("BULKHEAD_POLICY_NAMESPACES", "team-a")], "BULKHEAD_POLICY_NAMESPACES"),
        ("", &[("BULKHEAD_CORS_ALLOWED_ORIGINS", "https://ui.example.com, https://ui.example.com/")], "example.com/"),
    ] {
        let error = format!("{:#}", served(yaml, vars).unwrap_err());
        assert!(error.contains(expect), "{yaml} {vars:?}: {error}");
    }
    assert!(format!("{:#}", with("", &[], ServeArgs::default()).unwrap_err()).contains("--profiles"));
    with("kubernetes: {enabled: true}\nauthorization: {decider: review}", &[], ServeArgs::default()).unwrap();
    served("auth: {trusted_proxies: [127.0.0.0/8]}\nexecutor: {network: false}", &[]).unwrap();
    served("", &[("MULTIUSER_SHARED_READ", "false")]).unwrap();
    served("cors: {allowed_origins: ['*']}", &[]).unwrap();
    let tls = [("BULKHEAD_TLS_KEY", "k"), ("BULKHEAD_TLS_REQUIRE_CLIENT_CERTIFICATE", "true")];
    served("tls: {certificate: c, client_ca: a}", &tls).unwrap();
    served("", &[("BULKHEAD_SERVICE_HOST", "10.0.0.1"), ("BULKHEAD_PORT_8888_TCP", "tcp://10.0.0.1:8888")]).unwrap();
    with("", &[("MULTIUSER", "false")], ServeArgs::default()).unwrap();
}

#[test]
fn policies_are_read() {
    use spec::Allowance::{HostPath, Privileged};
    let vars = [
        ("BULKHEAD_POLICY_ALLOW", "host-path"),
        ("BULKHEAD_POLICY_NAMESPACES", "team-a=privileged+host-path, team-b=privileged"),
        ("BULKHEAD_POLICY_DOMAINS", "example.com"),
        ("BLOCK_V1_PIPELINES", "true"),
        ("V1_ALLOWED_NAMESPACES", "Team-A,team-b"),
    ];
    let policies = served("", &vars).unwrap().policies().unwrap();
    let [a, b, server] = ["team-a", "team-b", "kubeflow"].map(|name| Namespace::parse(name).unwrap());
    let everywhere = spec::Policy {
        allow: [HostPath].into(),
        domains: ["example.com".to_owned()].into(),
        default_service_account: "default-editor".to_owned(),
    };
    assert_eq!(policies.everywhere, everywhere);
    let expect = [(a.clone(), [HostPath, Privileged].into()), (b.clone(), [Privileged].into())];
    assert_eq!(policies.namespaces, expect.into());
    assert_eq!(policies.v1, server::V1::Only { namespaces: [a, b].into(), server });
    let policies = served("policy: {v1_allowed_namespaces: [team-a]}", &[]).unwrap().policies().unwrap();
    assert_eq!(policies.v1, server::V1::Everywhere);
}

#[test]
fn a_quota_of_a_namespace_goes_before_that_of_all() {
    let yaml = "quotas: {active_runs: 9, stored_runs: 100, namespaces: {team-a: {active_runs: 0, pipelines: 5}}}";
    let check = |yaml: &str, vars: &[(&str, &str)]| {
        let quotas = served(yaml, vars).unwrap().quotas.read().unwrap();
        let of = |name| quotas.of(&Namespace::parse(name).unwrap());
        let all = store::Limits { active_runs: Some(9), stored_runs: Some(100), ..Default::default() };
        assert_eq!(of("team-b"), all);
        assert_eq!(of("team-a"), store::Limits { active_runs: None, pipelines: Some(5), ..all });
    };
    check(yaml, &[]);
    let vars = [
        ("BULKHEAD_QUOTAS_ACTIVE_RUNS", "9"),
        ("BULKHEAD_QUOTAS_STORED_RUNS", "100"),
        ("BULKHEAD_QUOTAS_NAMESPACES", "team-a=active_runs:0+pipelines:5, team-c=recurring_runs:1"),
    ];
    check("quotas: {active_runs: 3, namespaces: {team-a: {stored_runs: 1}}}", &vars);
    assert_eq!(served("", &[]).unwrap().quotas.read().unwrap(), store::Quotas::default());
}

/// Every key has a variable, is read from it, and is documented, as is every one of upstream's variables.
#[test]
fn every_key_is_documented() {
    let docs = include_str!("../../../../docs/CONFIG.md");
    for (key, _) in env::KEYS {
        assert!(docs.contains(&format!("| `{key}` | `{}` |", env::name(key))), "docs/CONFIG.md lacks {key}");
    }
    for (name, fate) in upstream::NAMES {
        let fate = match fate {
            upstream::Fate::Honoured(key) => format!("honoured: `{key}`"),
            upstream::Fate::Refused(_) => "refused".to_owned(),
            upstream::Fate::NoMeaning => "no meaning here".to_owned(),
        };
        assert!(docs.contains(&format!("| `{name}` | {fate}")), "docs/CONFIG.md lacks {name}: {fate}");
    }
    for allowance in spec::Allowance::ALL {
        assert!(docs.contains(&format!("| `{allowance}` |")), "docs/CONFIG.md lacks {allowance}");
    }
    let debug = format!("{:?}", Config::default());
    for (key, _) in env::KEYS {
        let field = key.rsplit('.').next().unwrap();
        assert!(debug.contains(&format!("{field}:")), "{key} is no field of the configuration");
    }
    let fields = debug.matches(": ").count()
        - debug.matches("auth: ").count()
        - debug.matches("oidc: ").count()
        - debug.matches("token_review: ").count()
        - debug.matches("kubernetes: ").count()
        - debug.matches("authorization: ").count()
        - debug.matches("audit: ").count()
        - debug.matches("tokens: ").count()
        - debug.matches("limits: ").count()
        - debug.matches("cors: ").count()
        - debug.matches("tls: ").count()
        - debug.matches("executor: ").count()
        - debug.matches("pipelines: Pipelines").count()
        - debug.matches(" url: PipelineUrls").count()
        - debug.matches("database: ").count()
        // A flag alone.
        - debug.matches("take_over: ").count()
        - debug.matches(" policy: ").count()
        - debug.matches("log: ").count()
        - debug.matches("retention: ").count()
        - debug.matches("quotas: ").count()
        - debug.matches("schedules: ").count()
        - debug.matches("telemetry: ").count();
    assert_eq!(fields, env::KEYS.len(), "a field of the configuration is missing from env::KEYS");
}
