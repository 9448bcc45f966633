//! Reviews by an API server that is a function.
use super::*;
use domain::Code;
use futures::future::join_all;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::time::advance;

const KEEP: Duration = Duration::from_secs(10);

/// What the API server does with a question.
#[derive(Clone)]
enum Behaviour {
    Says(Value),
    Refuses(u16, &'static str),
    Silence,
    Gone,
}

struct House {
    reviews: Reviews,
    behaviour: Arc<Mutex<Behaviour>>,
    questions: Arc<Mutex<Vec<Value>>>,
}

impl House {
    fn new(behaviour: Behaviour) -> Self {
        let (behaviour, questions) = (Arc::new(Mutex::new(behaviour)), Arc::new(Mutex::new(Vec::new())));
        let service = {
            let (behaviour, questions) = (behaviour.clone(), questions.clone());
            tower::service_fn(move |request: Request<Body>| {
                let (behaviour, questions) = (behaviour.lock().unwrap().clone(), questions.clone());
                async move {
                    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews?";
                    assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("POST", path));
                    let question = request.into_body().collect().await.unwrap().to_bytes();
                    let question: Value = serde_json::from_slice(&question).unwrap();
                    questions.lock().unwrap().push(question["spec"].clone());
                    // Others ask the same meanwhile.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    let (status, body) = match behaviour {
                        Behaviour::Says(status) => (201, json!({"spec": question["spec"], "status": status})),
                        Behaviour::Refuses(code, message) => {
                            (code, json!({"kind": "Status", "status": "Failure", "code": code, "message": message}))
                        }
                        Behaviour::Silence => std::future::pending().await,
                        Behaviour::Gone => return Err(std::io::Error::other("10.0.0.1:6443 refused the connection")),
                    };
                    let status = StatusCode::from_u16(status).unwrap();
                    Ok(Response::builder().status(status).body(Body::from(body.to_string().into_bytes())).unwrap())
                }
            })
        };
        Self { reviews: Reviews::new(Client::new(service, "default"), KEEP), behaviour, questions }
    }

    fn allowing(allowed: bool) -> Self {
        Self::new(Behaviour::Says(json!({"allowed": allowed})))
    }

    fn now(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    async fn ask(&self, question: Question<'_>) -> Result<bool> {
        self.reviews.allows(question).await
    }

    fn questions(&self) -> Vec<Value> {
        std::mem::take(&mut self.questions.lock().unwrap())
    }
}

static NOTHING: Extra = Extra::new();

fn question<'a>(groups: &'a [Box<str>]) -> Question<'a> {
    let (verb, resource) = (Verb::List, Resource::Runs);
    Question { user: "jane", groups, extra: &NOTHING, verb, resource, namespace: None, name: "" }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked() {
    let house = House::allowing(true);
    let team = Namespace::parse("team").unwrap();
    let extra = Extra::from([("pod".to_owned(), vec!["notebook-0".to_owned()])]);
    let groups = ["ml".into(), "system:authenticated".into()];
    let all = Question { extra: &extra, namespace: Some(&team), name: "r1", verb: Verb::Get, ..question(&groups) };
    assert!(house.ask(all).await.unwrap());
    assert!(house.ask(question(&[])).await.unwrap());
    assert!(house.ask(Question { resource: Resource::Serviceaccounts, ..question(&[]) }).await.unwrap());
    let attributes =
        |verb: &str| json!({"group": "pipelines.kubeflow.org", "version": "v1beta1", "resource": "runs", "verb": verb});
    let mut whole = attributes("get");
    whole["namespace"] = "team".into();
    whole["name"] = "r1".into();
    assert_eq!(
        house.questions(),
        [
            json!({"user": "jane", "groups": groups, "extra": extra, "resourceAttributes": whole}),
            json!({"user": "jane", "groups": [], "resourceAttributes": attributes("list")}),
            json!({"user": "jane", "groups": [], "resourceAttributes":
                {"version": "v1", "resource": "serviceaccounts", "verb": "list"}}),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn answers_are_kept_for_a_while() {
    for allowed in [true, false] {
        let house = House::allowing(allowed);
        assert_eq!(house.ask(question(&[])).await.unwrap(), allowed);
        house.now(Behaviour::Says(json!({"allowed": !allowed})));
        advance(KEEP - Duration::from_secs(1)).await;
        assert_eq!(house.ask(question(&[])).await.unwrap(), allowed);
        assert_eq!(house.questions().len(), 1);
        advance(Duration::from_secs(1)).await;
        assert_eq!(house.ask(question(&[])).await.unwrap(), !allowed);
        assert_eq!(house.questions().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_the_same_at_once_waits_for_one_answer() {
    let house = House::allowing(true);
    let answers = join_all((0..100).map(|_| house.ask(question(&[])))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap()));
    assert_eq!(house.questions().len(), 1);
}

/// Questions that a key made of joined texts would take for one another.
#[tokio::test(start_paused = true)]
async fn other_questions_are_other_questions() {
    let house = House::allowing(true);
    let (a, b) = (Namespace::parse("a").unwrap(), Namespace::parse("b").unwrap());
    let (one, two): ([Box<str>; 1], [Box<str>; 2]) = (["x,y".into()], ["x".into(), "y".into()]);
    let extra = |key: &str, values: &[&str]| {
        Extra::from([(key.to_owned(), values.iter().map(|&value| value.to_owned()).collect())])
    };
    let extras = [extra("k", &["v"]), extra("k", &["v", "v"]), extra("kv", &[""])];
    let questions = [
        question(&[]),
        question(&one),
        question(&two),
        Question { user: "jane/x", ..question(&[]) },
        Question { name: "x", ..question(&[]) },
        Question { namespace: Some(&a), ..question(&[]) },
        Question { namespace: Some(&a), name: "b", ..question(&[]) },
        Question { namespace: Some(&b), name: "a", ..question(&[]) },
        Question { verb: Verb::Get, ..question(&[]) },
        Question { resource: Resource::Jobs, ..question(&[]) },
        Question { extra: &extras[0], ..question(&[]) },
        Question { extra: &extras[1], ..question(&[]) },
        Question { extra: &extras[2], ..question(&[]) },
    ];
    for _ in 0..2 {
        for question in questions {
            assert!(house.ask(question).await.unwrap());
        }
    }
    assert_eq!(house.questions().len(), questions.len());
}

#[tokio::test(start_paused = true)]
async fn what_kubernetes_says_is_heard_strictly() {
    for (status, allowed) in [
        (json!({"allowed": true}), true),
        (json!({"allowed": true, "denied": true}), false),
        (json!({"allowed": false, "evaluationError": "role not found"}), false),
        (json!({"allowed": true, "evaluationError": "role not found"}), true),
        (json!({}), false),
    ] {
        let house = House::new(Behaviour::Says(status.clone()));
        assert_eq!(house.ask(question(&[])).await.unwrap(), allowed, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_neither_yes_nor_no() {
    for behaviour in [
        Behaviour::Refuses(403, "bulkhead at 10.0.0.1 cannot create resource"),
        Behaviour::Refuses(500, "etcd at 10.0.0.1"),
        Behaviour::Refuses(429, "10.0.0.1 has too much to do"),
        Behaviour::Says(Value::Null),
        Behaviour::Silence,
        Behaviour::Gone,
    ] {
        let house = House::new(behaviour);
        let began = Instant::now();
        let error = house.ask(question(&[])).await.unwrap_err();
        assert!(began.elapsed() <= PATIENCE);
        let text = "Kubernetes cannot be asked at the moment who may do this; try again";
        assert_eq!((error.code(), error.message()), (Code::Unavailable, text));
        // It is not kept: who asks again has a chance.
        house.now(Behaviour::Says(json!({"allowed": true})));
        assert!(house.ask(question(&[])).await.unwrap());
    }
}

/// A flood of different questions is bounded in memory.
#[test]
fn long_questions_weigh_more() {
    let name = "n".repeat(1 << 20);
    let groups: Vec<Box<str>> = vec!["g".repeat(1_000).into(); 100];
    assert!(Asked::new(Question { name: &name, ..question(&[]) }).size() > 1 << 20);
    assert!(Asked::new(question(&groups)).size() > 100_000);
    assert!(Asked::new(question(&[])).size() > 100);
}
