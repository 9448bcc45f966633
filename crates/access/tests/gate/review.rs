//! Kubernetes decides, where it is asked to; who the tenants are is still the Profiles' to say.
use crate::world::{World, caller, refusal};
use access::{Question, Review};
use api::v2::{
    CreatePipelineRequest, GetRunRequest, ListRunsRequest, Pipeline,
    pipeline_service_rpc::CreatePipeline,
    run_service_rpc::{GetRun, ListRuns},
};
use domain::{Code, Error, Result};
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex};

/// Allows whatever is about `stranger`, and keeps the questions.
#[derive(Default)]
struct Kubernetes {
    asked: Mutex<Vec<String>>,
}

impl Review for Kubernetes {
    fn allows<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<bool>> {
        let Question { user, groups, verb, resource, namespace, name, .. } = question;
        let namespace = namespace.map_or("-", |namespace| namespace.as_str());
        self.asked.lock().unwrap().push(format!("{user} {groups:?} {verb} {resource} {namespace} {name:?}"));
        Box::pin(async move {
            match user {
                "down" => Err(Error::new(Code::Unavailable, "Kubernetes does not answer")),
                user => Ok(user == "stranger"),
            }
        })
    }
}

#[test]
fn kubernetes_decides() {
    let kubernetes = Arc::new(Kubernetes::default());
    let world = World::decided_by(Some(kubernetes.clone()));
    let list = |namespace: &str| ListRunsRequest { namespace: namespace.into(), ..Default::default() };
    world.admit::<ListRuns>(Some(&caller("stranger")), &list("team")).unwrap();
    let asked = "stranger [\"strangers\", \"system:authenticated\"] list runs team \"\"";
    assert_eq!(std::mem::take(&mut *kubernetes.asked.lock().unwrap()), [asked]);
    // What RBAC of our own would give is not asked.
    assert!(world.admit::<ListRuns>(Some(&caller("ed")), &list("team")).is_err());
    let error = world.admit::<ListRuns>(Some(&caller("down")), &list("team")).err().unwrap();
    assert_eq!(refusal(error), "Unavailable: Kubernetes does not answer");
    kubernetes.asked.lock().unwrap().clear();
    // A namespace that is no tenant's is none of ours, whatever Kubernetes would say.
    assert!(world.admit::<ListRuns>(Some(&caller("stranger")), &list("gone")).is_err());
    assert!(kubernetes.asked.lock().unwrap().is_empty());
    // By id, the object's name is asked about, and then whether it may be known of.
    let get = GetRunRequest { run_id: "r-team".into(), ..Default::default() };
    let error = world.admit::<GetRun>(Some(&caller("ed")), &get).err().unwrap();
    assert_eq!(refusal(error), "NotFound: Run r-team not found");
    let asked = std::mem::take(&mut *kubernetes.asked.lock().unwrap());
    assert!(asked.iter().all(|asked| asked.ends_with("get runs team \"r-team\"")), "{asked:?}");
    // What is shared is written by way of the server's namespace.
    let pipeline = Pipeline { name: "p".into(), ..Default::default() };
    let create = CreatePipelineRequest { pipeline: Some(pipeline) };
    world.admit::<CreatePipeline>(Some(&caller("stranger")), &create).unwrap();
    let asked = std::mem::take(&mut *kubernetes.asked.lock().unwrap());
    assert!(asked[0].ends_with("create pipelines kubeflow \"p\""), "{asked:?}");
}
