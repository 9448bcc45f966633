//! How nodes start.
use super::{Command, Step, Todo};
use crate::{
    Body, Inputs, NodeId, Place, PlannedTask, Status, Strategy, Work, WorkKind, fingerprint, import, plan::Items,
    resolve::Resolve,
};

/// How much may go into the tasks of a run and come out, in bytes: all of it is held in memory.
pub(super) const MAX_BYTES: usize = 256 << 20;

pub(super) fn too_much() -> String {
    format!("what goes into the tasks of the run takes more than {MAX_BYTES} bytes: pass large values as artifacts")
}

impl<'a> Step<'a> {
    /// The run begins, unless it has: its root does.
    pub(super) fn started(&mut self) {
        if self.state.nodes().is_empty() {
            let root = self.state.add(None, Place::Root);
            let plan = self.plan;
            self.state.change(root).inputs.parameters = plan.parameters.clone();
            self.begin_dag(root, &plan.root);
        }
    }

    /// Starts a task if it can, or skips it if it never will.
    pub(super) fn consider(&mut self, id: NodeId) {
        let node = self.state.get(id);
        let (Status::Pending, Some(parent)) = (node.status, node.parent) else { return };
        let (tree, Some(task)) = (self.tree(), self.tree().task(id)) else { return };
        if let Some(why) = self.state.run.stopped.clone() {
            return self.skip(id, why);
        }
        if let Place::Iteration(_) = node.place {
            return self.begin(id, task);
        }
        let siblings = self.state.children(parent);
        let status = |&at: &usize| siblings.get(at).map(|&id| self.state.get(id).status).unwrap_or_default();
        if task.strategy == Strategy::Succeeded {
            let lost = task.dependencies.iter().find_map(|at| {
                let how = match status(at) {
                    Status::Failed => "failed",
                    Status::Skipped => "was skipped",
                    _ => return None,
                };
                Some(format!("it depends on {:?}, which {how}", tree.name(*siblings.get(*at)?)))
            });
            let failed = self.state.get(parent).first_failed.filter(|_| !task.in_spite);
            let failed = failed.map(|id| format!("task {:?} failed before it could start", tree.name(id)));
            if let Some(why) = lost.or(failed) {
                return self.skip(id, why);
            }
        }
        if task.dependencies.iter().all(|at| status(at).is_final()) {
            self.start(id, parent, task);
        }
    }

    fn start(&mut self, id: NodeId, parent: NodeId, task: &'a PlannedTask) {
        let inputs = Resolve { tree: self.tree(), parent, task }.inputs();
        let inputs = match inputs {
            Ok(inputs) => inputs,
            Err(message) => return self.fail(id, message),
        };
        self.state.bytes += inputs.size();
        if self.state.bytes > MAX_BYTES {
            return self.fail(id, too_much());
        }
        let met = task.condition.as_ref().map(|condition| spec::condition(condition, &inputs.parameters));
        self.state.change(id).inputs = inputs;
        match met {
            Some(Err(message)) => self.fail(id, format!("its condition cannot be evaluated: {message}")),
            Some(Ok(false)) => self.skip(id, "its condition is false".to_owned()),
            None | Some(Ok(true)) if task.iterator.is_some() => self.begin_loop(id, task),
            None | Some(Ok(true)) => self.begin(id, task),
        }
    }

    /// Starts what a task is, with the inputs that its node has.
    fn begin(&mut self, id: NodeId, task: &'a PlannedTask) {
        match &task.body {
            Body::Dag(dag) => self.begin_dag(id, dag),
            Body::Container(_) | Body::Importer(_) => {
                let attempt = self.state.get(id).first_attempt;
                self.launch(id, attempt);
            }
        }
    }

    fn begin_dag(&mut self, id: NodeId, dag: &'a crate::Dag) {
        if !self.room(id, dag.tasks.len()) {
            return;
        }
        self.state.change(id).status = Status::Running;
        for at in 0..dag.tasks.len() {
            let child = self.state.add(Some(id), Place::Task(at));
            self.todo.push_back(Todo::Consider(child));
        }
        self.finish_if_done(id);
    }

    fn begin_loop(&mut self, id: NodeId, task: &'a PlannedTask) {
        let Some(iterator) = &task.iterator else { return };
        if let Items::Parameter(name) = &iterator.items
            && let Some(value) = self.state.get(id).inputs.parameters.get(name)
            && let Err(message) = spec::list_of(value)
        {
            return self.fail(id, format!("the items in {name:?} are no list: {message}"));
        }
        // Of an earlier try.
        self.state.links_mut(id).items = crate::state::Items::default();
        self.state.change(id).status = Status::Running;
        self.next_iterations(id);
        self.finish_if_done(id);
    }

    /// Begins as many iterations of a loop as may run at a time.
    pub(super) fn next_iterations(&mut self, id: NodeId) {
        let tree = self.tree();
        let Some(iterator) = tree.iterator(id) else { return };
        let count = tree.iterations(id);
        while self.state.run.stopped.is_none()
            && self.state.get(id).first_failed.is_none()
            && self.state.links(id).open < iterator.limit
            && self.state.children(id).len() < count
        {
            if !self.room(id, 1) {
                return;
            }
            let at = self.state.children(id).len();
            let item = self.tree().item(id, at);
            let child = self.state.add(Some(id), Place::Iteration(at));
            self.state.change(child).inputs = item;
            self.todo.push_back(Todo::Consider(child));
        }
    }

    /// Whether the run may have so many more tasks; if not, the node that wants them fails.
    fn room(&mut self, id: NodeId, more: usize) -> bool {
        let most = self.plan.rules.max_tasks;
        if self.state.nodes().len() + more <= most {
            return true;
        }
        let message = format!("the run would have more than {most} tasks");
        match self.state.children(id).is_empty() {
            true => self.fail(id, message),
            // A loop ends once the iterations have that are under way.
            false => {
                let node = self.state.change(id);
                node.error = Some(message);
                node.first_failed = node.first_failed.or(Some(id));
            }
        }
        false
    }

    /// Has an attempt of a container or an importer carried out.
    pub(super) fn launch(&mut self, id: NodeId, attempt: u32) {
        let Some(task) = self.tree().task(id) else { return };
        if let Some(why) = self.state.run.stopped.clone() {
            return self.fail(id, why);
        }
        self.state.change(id).attempt = attempt;
        match self.work(id, task) {
            Ok(work) => {
                let node = self.state.change(id);
                node.status = Status::Queued;
                node.error = None;
                node.fingerprint.clone_from(&work.fingerprint);
                self.commands.push(Command::Launch { node: id, attempt, work: Box::new(work) });
            }
            Err(message) => self.fail(id, message),
        }
    }

    fn work(&self, id: NodeId, task: &PlannedTask) -> Result<Work, String> {
        let (plan, node) = (self.plan, self.state.get(id));
        let mut inputs = node.inputs.clone();
        if let (Place::Iteration(_), Some(of_loop)) = (node.place, node.parent) {
            let Inputs { parameters, artifacts } = self.state.get(of_loop).inputs.clone();
            inputs.parameters = parameters.into_iter().chain(inputs.parameters).collect();
            inputs.artifacts = artifacts.into_iter().chain(inputs.artifacts).collect();
        }
        let kind = match &task.body {
            Body::Importer(importer) => WorkKind::Import(import::of(plan, task, importer, &inputs)?),
            _ => WorkKind::Container,
        };
        // What is in a workspace is another thing in each run.
        let workspace = task.wants_workspace(&inputs, &plan.context.workspace);
        let claim = workspace.then(|| format!("{}-kfp-workspace", plan.resource_name()));
        let fingerprint = match kind {
            WorkKind::Container if plan.rules.cache => fingerprint::of(task, &inputs, claim.as_deref()),
            _ => None,
        };
        // Parameters of the platform are those of the DAG that the task is in.
        let dag = match node.place {
            Place::Iteration(_) => node.parent.and_then(|of_loop| self.state.get(of_loop).parent),
            _ => node.parent,
        };
        let lacking = dag.and_then(|parent| Resolve { tree: self.tree(), parent, task }.lacking());
        Ok(Work { inputs, fingerprint, timeout: task.timeout, lacking, workspace, kind })
    }
}
