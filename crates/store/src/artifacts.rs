//! Artifacts, and which tasks they went into and came out of. Rows of a namespace alone, like the tasks.
mod links;
mod list;

use crate::{
    Error, columns,
    connect::Connection,
    metadata,
    schema::{artifact_tasks, artifacts, runs},
    tasks::{BATCH, OfRun, octet_length},
};
use diesel::{
    dsl::{count_star, exists, not, sum},
    prelude::*,
};
use diesel_async::RunQueryDsl;
use domain::{
    Artifact, ArtifactId, Direction, Home, KeptArtifact, Kind, NewArtifact, Producer, Task, TaskKind, Timestamp,
};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

pub use links::LinksOf;

/// What an artifact is beside its metadata and its URI, in bytes.
const ARTIFACT: i64 = 128;

const INPUT: &str = Direction::Input.as_str();
pub(crate) const OUTPUT: &str = Direction::Output.as_str();

/// The artifacts of inputs or outputs, by name.
pub(crate) type Lists = BTreeMap<String, Vec<Artifact>>;
/// The same with what else is kept of them.
pub(crate) type Kept = Vec<(String, KeptArtifact)>;

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = artifacts, check_for_backend(crate::any::AnyBackend))]
pub(crate) struct Row {
    id: String,
    namespace: String,
    run_id: String,
    name: String,
    kind: String,
    schema_version: String,
    instance_schema: String,
    uri: String,
    metadata: String,
    materialized: bool,
    created_at: i64,
    description: String,
    number_value: String,
    producer_task: String,
    producer_key: String,
}

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = artifact_tasks, check_for_backend(crate::any::AnyBackend))]
pub(crate) struct Link {
    namespace: String,
    run_id: String,
    task_id: String,
    direction: String,
    name: String,
    position: i32,
    artifact_id: String,
    id: String,
    created_at: i64,
}

/// The inputs and outputs of tasks of a run, by the task's id: of some tasks, or of all.
pub(crate) async fn of_tasks(
    conn: &mut Connection,
    home: &str,
    run_id: &str,
    some: Option<&[String]>,
) -> Result<HashMap<String, (Lists, Lists)>, Error> {
    let mut found: HashMap<String, (Lists, Lists)> = HashMap::new();
    for (link, row) in linked(conn, home, run_id, some).await? {
        let (inputs, outputs) = found.entry(link.task_id).or_default();
        let lists = if link.direction == INPUT { inputs } else { outputs };
        lists.entry(link.name).or_default().push(row.try_into()?);
    }
    Ok(found)
}

/// The same, each with what else is kept of it, in the order of its names.
pub(crate) async fn kept_of_tasks(
    conn: &mut Connection,
    home: &str,
    run_id: &str,
    ids: &[String],
) -> Result<HashMap<String, (Kept, Kept)>, Error> {
    let mut rows = linked(conn, home, run_id, Some(ids)).await?;
    rows.sort_by(|(one, _), (other, _)| (&one.name, one.position).cmp(&(&other.name, other.position)));
    let mut found: HashMap<String, (Kept, Kept)> = HashMap::new();
    for (link, row) in rows {
        let (inputs, outputs) = found.entry(link.task_id).or_default();
        let kept = if link.direction == INPUT { inputs } else { outputs };
        kept.push((link.name, row.try_into()?));
    }
    Ok(found)
}

async fn linked(
    conn: &mut Connection,
    home: &str,
    run_id: &str,
    some: Option<&[String]>,
) -> Result<Vec<(Link, Row)>, Error> {
    let mut rows: Vec<(Link, Row)> = Vec::new();
    let batches: Vec<Option<&[String]>> = match some {
        None => vec![None],
        Some(ids) => ids.chunks(BATCH).map(Some).collect(),
    };
    for batch in batches {
        let joined =
            artifact_tasks::table.inner_join(artifacts::table.on(artifacts::id.eq(artifact_tasks::artifact_id)));
        let mut of_run = joined
            .filter(artifact_tasks::namespace.eq(home))
            .filter(artifacts::namespace.eq(home))
            .filter(artifact_tasks::run_id.eq(run_id))
            .into_boxed();
        if let Some(ids) = batch {
            of_run = of_run.filter(artifact_tasks::task_id.eq_any(ids));
        }
        let columns = (Link::as_select(), Row::as_select());
        rows.extend(of_run.order(artifact_tasks::position).select(columns).load::<(Link, Row)>(conn).await?);
    }
    Ok(rows)
}

/// About how many bytes the inputs and outputs of some tasks are, by the task's id, if there are any.
pub(crate) async fn weights(
    conn: &mut Connection,
    home: &str,
    run_id: &str,
    ids: &[String],
) -> Result<HashMap<String, i64>, Error> {
    let joined = artifact_tasks::table.inner_join(artifacts::table.on(artifacts::id.eq(artifact_tasks::artifact_id)));
    let of_run = joined.filter(artifact_tasks::namespace.eq(home)).filter(artifacts::namespace.eq(home));
    let of_them = of_run.filter(artifact_tasks::run_id.eq(run_id)).filter(artifact_tasks::task_id.eq_any(ids));
    let bytes = octet_length(artifacts::metadata) + octet_length(artifacts::uri);
    let columns = (artifact_tasks::task_id, count_star(), sum(bytes));
    let mut weights = HashMap::new();
    for (id, count, bytes) in
        of_them.group_by(artifact_tasks::task_id).select(columns).load::<(String, i64, Option<i64>)>(conn).await?
    {
        weights.insert(id, count * ARTIFACT + bytes.unwrap_or_default());
    }
    Ok(weights)
}

/// Writes the artifacts of tasks that are not there yet, and what links them. Of tasks that are known already, the
/// links are written anew.
///
/// # Errors
/// `Internal` if an artifact is another namespace's: no link leads out of one.
pub(crate) async fn save(
    conn: &mut Connection,
    run: &OfRun<'_>,
    tasks: &[Task],
    known: &HashSet<String>,
) -> Result<(), Error> {
    let known: Vec<&String> = known.iter().collect();
    if !known.is_empty() {
        let of_them = artifact_tasks::table.filter(artifact_tasks::namespace.eq(run.home));
        diesel::delete(of_them.filter(artifact_tasks::task_id.eq_any(known))).execute(conn).await?;
    }
    let (mut rows, mut links, mut makers) = (BTreeMap::new(), Vec::new(), HashMap::new());
    for task in tasks {
        let inputs = task.inputs.artifacts.iter().map(|(name, list)| (INPUT, name, list));
        let outputs = task.outputs.artifacts.iter().map(|(name, list)| (OUTPUT, name, list));
        for (direction, name, list) in inputs.chain(outputs) {
            for (position, artifact) in list.iter().enumerate() {
                let position = i32::try_from(position).unwrap_or(i32::MAX);
                links.push(Link {
                    namespace: run.home.to_owned(),
                    run_id: run.run_id.to_owned(),
                    task_id: task.id.to_string(),
                    direction: direction.to_owned(),
                    name: name.clone(),
                    position,
                    artifact_id: artifact.id.to_string(),
                    id: link_id(task.id.as_str(), direction, name, position),
                    created_at: task.created_at.0,
                });
                if direction == OUTPUT && matches!(task.kind, TaskKind::Runtime | TaskKind::Importer) {
                    makers.entry(artifact.id.as_str()).or_insert((task.name.as_str(), name.as_str()));
                }
                rows.entry(artifact.id.as_str()).or_insert(artifact);
            }
        }
    }
    let wanted: Vec<(&str, &Artifact)> = rows.into_iter().collect();
    for batch in wanted.chunks(BATCH) {
        let ids: Vec<&str> = batch.iter().map(|(id, _)| *id).collect();
        let there = artifacts::table.filter(artifacts::id.eq_any(&ids)).select((artifacts::id, artifacts::namespace));
        let there: HashMap<String, String> = there.load::<(String, String)>(conn).await?.into_iter().collect();
        if there.values().any(|namespace| namespace != run.home) {
            return Err(domain::Error::internal("a task names an artifact of another namespace").into());
        }
        let new = batch.iter().filter(|(id, _)| !there.contains_key(*id));
        for (id, artifact) in new {
            let (producer_task, producer_key) = makers.get(id).copied().unwrap_or_default();
            let (producer_task, producer_key) = (producer_task.to_owned(), producer_key.to_owned());
            let row = Row { producer_task, producer_key, ..Row::new(run, artifact) };
            diesel::insert_into(artifacts::table).values(row).execute(conn).await?;
        }
    }
    for link in links {
        diesel::insert_into(artifact_tasks::table).values(link).execute(conn).await?;
    }
    Ok(())
}

/// Removes what a run that is being deleted has made. What another run has taken for its own stays on record there,
/// as something that is no longer to be had, until that run is deleted too.
pub(crate) async fn forget(conn: &mut Connection, home: &str, run_id: &str) -> Result<(), Error> {
    let joined = artifact_tasks::table.inner_join(artifacts::table.on(artifacts::id.eq(artifact_tasks::artifact_id)));
    let taken = joined.filter(artifact_tasks::namespace.eq(home)).filter(artifact_tasks::run_id.eq(run_id));
    let taken = taken.filter(artifacts::run_id.ne(run_id)).select(artifacts::id).distinct();
    let taken: Vec<String> = taken.load(conn).await?;
    let links = artifact_tasks::table.filter(artifact_tasks::namespace.eq(home));
    diesel::delete(links.filter(artifact_tasks::run_id.eq(run_id))).execute(conn).await?;
    let of_it = || artifacts::table.filter(artifacts::namespace.eq(home)).filter(artifacts::run_id.eq(run_id));
    let linked = artifact_tasks::table.filter(artifact_tasks::artifact_id.eq(artifacts::id));
    diesel::delete(of_it().filter(not(exists(linked)))).execute(conn).await?;
    for batch in taken.chunks(BATCH) {
        let of_them = artifacts::table.filter(artifacts::namespace.eq(home)).filter(artifacts::id.eq_any(batch));
        let made_by = runs::table.filter(runs::id.eq(artifacts::run_id));
        let orphans = of_them.filter(not(exists(linked))).filter(not(exists(made_by)));
        diesel::delete(orphans).execute(conn).await?;
        metadata::forget_artifacts(conn, home, batch).await?;
    }
    diesel::update(of_it()).set(artifacts::materialized.eq(false)).execute(conn).await?;
    Ok(())
}

/// Passes if the artifact is there, in that home.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn is_there(conn: &mut Connection, home: &str, id: &str) -> Result<(), Error> {
    let it = artifacts::table.filter(artifacts::id.eq(id)).filter(artifacts::namespace.eq(home));
    let found: Option<String> = it.select(artifacts::id).first(conn).await.optional()?;
    found.map(drop).ok_or_else(|| domain::Error::not_found(Kind::Artifact, id).into())
}

impl Row {
    /// What a client records.
    pub(crate) fn recorded(home: &str, new: NewArtifact, now: Timestamp) -> Self {
        let Producer { task, key } = new.producer.unwrap_or_default();
        Self {
            id: ArtifactId::fresh().to_string(),
            namespace: home.to_owned(),
            run_id: new.run_id.to_string(),
            name: new.name,
            kind: new.kind,
            schema_version: String::new(),
            instance_schema: String::new(),
            uri: new.uri,
            metadata: columns::text(&new.metadata),
            materialized: true,
            created_at: now.0,
            description: new.description,
            number_value: new.number.map(|number| columns::text(&number)).unwrap_or_default(),
            producer_task: task,
            producer_key: key,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn new(run: &OfRun<'_>, artifact: &Artifact) -> Self {
        Self {
            id: artifact.id.to_string(),
            namespace: run.home.to_owned(),
            run_id: run.run_id.to_owned(),
            name: artifact.name.clone(),
            kind: artifact.kind.clone(),
            schema_version: artifact.schema_version.clone(),
            instance_schema: artifact.instance_schema.clone(),
            uri: artifact.uri.clone(),
            metadata: columns::text(&artifact.metadata),
            materialized: artifact.materialized,
            created_at: run.now.0,
            description: String::new(),
            number_value: String::new(),
            producer_task: String::new(),
            producer_key: String::new(),
        }
    }
}

/// The id of a link, which is the same whenever it is written. Of its task's id, which nobody can guess, nothing can be
/// told by it.
fn link_id(task_id: &str, direction: &str, name: &str, position: i32) -> String {
    let hash = Sha256::digest(columns::text(&(task_id, direction, name, position)));
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// What has made an artifact, if that is known.
fn producer(task: String, key: String) -> Option<Producer> {
    (!task.is_empty()).then_some(Producer { task, key })
}

impl TryFrom<Row> for KeptArtifact {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        let home = Home::from_column(&row.namespace);
        let namespace = home.namespace().cloned();
        let number = match row.number_value.as_str() {
            "" => None,
            text => Some(columns::value("artifacts.number_value", text)?),
        };
        let (task, key) = (std::mem::take(&mut row.producer_task), std::mem::take(&mut row.producer_key));
        Ok(Self {
            namespace: namespace.ok_or_else(|| domain::Error::internal("an artifact outside of namespaces"))?,
            description: std::mem::take(&mut row.description),
            number,
            producer: producer(task, key),
            created_at: Timestamp(row.created_at),
            artifact: row.try_into()?,
        })
    }
}

impl TryFrom<Row> for Artifact {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: ArtifactId::from_text(row.id),
            name: row.name,
            kind: row.kind,
            schema_version: row.schema_version,
            instance_schema: row.instance_schema,
            uri: row.uri,
            metadata: columns::value("artifacts.metadata", &row.metadata)?,
            materialized: row.materialized,
        })
    }
}
