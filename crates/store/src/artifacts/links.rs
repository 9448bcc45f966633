//! Which artifacts went into which tasks, and came out, by pages.
use super::{Link, link_id, producer};
use crate::{
    Error, Store, columns,
    connect::{Connection, read},
    page::{Plan, Weigh, keys},
    schema::{artifact_tasks, artifacts},
    tasks as task,
};
use access::Grant;
use api::access::{resource::Runs, verb::Get};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    ArtifactId, ArtifactLink, Direction, Kind, Producer, Result, RunId, TaskId,
    list::{Page, Query},
};
use std::collections::HashMap;

/// Whose links are wanted: of tasks, runs and artifacts, and of all of those where several are named. At least one is.
#[derive(Clone, Debug, Default)]
pub struct LinksOf {
    pub tasks: Vec<String>,
    pub runs: Vec<String>,
    pub artifacts: Vec<String>,
    /// Both if it is absent.
    pub direction: Option<Direction>,
}

impl LinksOf {
    /// What tokens of the list are bound to.
    fn list(&self) -> String {
        let direction = self.direction.map(Direction::as_str);
        columns::text(&("artifact tasks", &self.tasks, &self.runs, &self.artifacts, direction))
    }

    fn covered(&self, grant: &Grant<Get, Runs>) -> Result<()> {
        let named = [(Kind::Task, &self.tasks), (Kind::Run, &self.runs), (Kind::Artifact, &self.artifacts)];
        if named.iter().all(|(_, ids)| ids.is_empty()) {
            return Err(domain::Error::invalid("the request names neither tasks nor runs nor artifacts"));
        }
        named
            .into_iter()
            .flat_map(|(kind, ids)| ids.iter().map(move |id| (kind, id)))
            .try_for_each(|(kind, id)| grant.covers(kind, id))
    }
}

impl Weigh for Link {}

keys!(artifact_tasks, Link, {
    "id" => text id,
    "artifact_id" => text artifact_id,
    "task_id" => text task_id,
    "run_id" => text run_id,
    "type" => text(direction) direction,
    "artifact_key" => text name,
    "created_at" => time created_at,
});

fn direction(text: &str) -> Option<String> {
    Direction::parse(text).map(|direction| direction.as_str().to_owned())
}

impl Store {
    /// One page of links in the home of the grant.
    ///
    /// # Errors
    /// `NotFound` for an object that the grant does not reach; `InvalidArgument` for an order, a filter or a token that
    /// is not one, or if nothing is named.
    pub async fn artifact_links(
        &self,
        grant: &Grant<Get, Runs>,
        of: LinksOf,
        query: Query,
    ) -> Result<Page<ArtifactLink>> {
        of.covered(grant)?;
        let plan = Plan::read(query, &of.list(), grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        let (page, producers) = read!(self, |conn| {
            let all = || {
                use artifact_tasks::{artifact_id, direction, run_id, task_id};
                let mut some = artifact_tasks::table.filter(artifact_tasks::namespace.eq(home.clone())).into_boxed();
                macro_rules! only {
                    ($column:ident, $ids:expr) => {
                        some = match &$ids[..] {
                            [] => some,
                            // Of one the index has the order of the list.
                            [id] => some.filter($column.eq(id.clone())),
                            ids => some.filter($column.eq_any(ids.to_vec())),
                        };
                    };
                }
                only!(task_id, of.tasks);
                only!(run_id, of.runs);
                only!(artifact_id, of.artifacts);
                match of.direction {
                    Some(way) => some.filter(direction.eq(way.as_str())),
                    None => some,
                }
            };
            let page = page(conn, plan, &key, None, all).await?;
            let ids: Vec<&str> = page.items.iter().map(|link| link.artifact_id.as_str()).collect();
            let producers = producers(conn, &home, &ids).await?;
            Ok((page, producers))
        })?;
        Ok(page.try_map(|link| {
            let producer = producers.get(&link.artifact_id).cloned();
            link.with(producer)
        })?)
    }
}

/// What has made some artifacts, by their ids.
async fn producers(conn: &mut Connection, home: &str, ids: &[&str]) -> Result<HashMap<String, Producer>, Error> {
    let of_them = artifacts::table.filter(artifacts::namespace.eq(home)).filter(artifacts::id.eq_any(ids));
    let columns = (artifacts::id, artifacts::producer_task, artifacts::producer_key);
    let rows: Vec<(String, String, String)> = of_them.select(columns).load(conn).await?;
    Ok(rows.into_iter().filter_map(|(id, task, key)| Some((id, producer(task, key)?))).collect())
}

impl Link {
    /// Links an artifact to a task, behind those that the input or output has already.
    ///
    /// # Errors
    /// `AlreadyExists` if it has that artifact already.
    pub(crate) async fn add(
        conn: &mut Connection,
        task: &task::Row,
        direction: Direction,
        name: &str,
        artifact_id: &str,
    ) -> Result<Self, Error> {
        let of_task = artifact_tasks::table.filter(artifact_tasks::namespace.eq(&task.namespace));
        let of_task = of_task.filter(artifact_tasks::task_id.eq(&task.id));
        let same =
            of_task.filter(artifact_tasks::direction.eq(direction.as_str())).filter(artifact_tasks::name.eq(name));
        let there: Vec<(i32, String)> =
            same.select((artifact_tasks::position, artifact_tasks::artifact_id)).load(conn).await?;
        if there.iter().any(|(_, id)| id == artifact_id) {
            let text = format!("task {} has artifact {artifact_id} as {name} already", task.id);
            return Err(domain::Error::exists(text).into());
        }
        let position = there.iter().map(|(position, _)| position + 1).max().unwrap_or_default();
        let link = Self {
            namespace: task.namespace.clone(),
            run_id: task.run_id.clone(),
            task_id: task.id.clone(),
            direction: direction.as_str().to_owned(),
            name: name.to_owned(),
            position,
            artifact_id: artifact_id.to_owned(),
            id: link_id(&task.id, direction.as_str(), name, position),
            created_at: task.created_at,
        };
        diesel::insert_into(artifact_tasks::table).values(link.clone()).execute(conn).await?;
        Ok(link)
    }

    pub(crate) fn with(self, producer: Option<Producer>) -> Result<ArtifactLink, Error> {
        Ok(ArtifactLink {
            id: self.id,
            artifact_id: ArtifactId::from_text(self.artifact_id),
            run_id: RunId::from_text(self.run_id),
            task_id: TaskId::from_text(self.task_id),
            direction: columns::word("artifact_tasks.direction", &self.direction, Direction::parse)?,
            key: self.name,
            producer,
        })
    }
}
