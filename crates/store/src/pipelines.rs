//! Pipelines. Their versions are in `versions`.
use crate::{
    Error, Store, columns,
    connect::{Connection, read, write},
    counts::{Counted, What},
    page::{Plan, Weigh, keys},
    quotas::Quota,
    schema::{pipeline_versions, pipelines},
    versions,
};
use access::Grant;
use api::access::{resource::Pipelines, verb::*};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Home, Kind, NewPipeline, NewVersion, Pipeline, PipelineId, PipelineVersion, Result, Tags, Timestamp,
    list::{Page, Query},
};

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = pipelines, check_for_backend(crate::any::AnyBackend))]
struct Row {
    id: String,
    namespace: String,
    name: String,
    display_name: String,
    description: String,
    created_at: i64,
    tags: String,
    created_by: String,
}

impl Weigh for Row {}

keys!(pipelines, Row, {
    "id" | "pipeline_id" => text id,
    "name" => text name,
    "display_name" => text display_name,
    "description" => text description,
    "namespace" => text namespace,
    "created_at" => time created_at,
    "created_by" => text created_by,
}, tags: tags);

impl TryFrom<Row> for Pipeline {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Pipeline {
            id: PipelineId::from_text(row.id),
            home: Home::from_column(&row.namespace),
            name: row.name,
            display_name: row.display_name,
            description: row.description,
            created_at: Timestamp(row.created_at),
            tags: columns::value("pipelines.tags", &row.tags)?,
            created_by: row.created_by,
        })
    }
}

impl Store {
    /// Makes a pipeline in the home of the grant, with its first version if one is given: both or neither.
    ///
    /// # Errors
    /// `AlreadyExists` if the name is taken there; `ResourceExhausted` if the namespace has as many as it may.
    pub async fn create_pipeline(
        &self,
        grant: &Grant<Create, Pipelines>,
        new: NewPipeline,
        version: Option<NewVersion>,
    ) -> Result<(Pipeline, Option<PipelineVersion>)> {
        grant.covers_all()?;
        let row = Row {
            id: PipelineId::fresh().to_string(),
            namespace: grant.home().as_column().to_owned(),
            name: new.name,
            display_name: new.display_name,
            description: new.description,
            created_at: self.clock.now().0,
            tags: columns::text(&new.tags),
            created_by: grant.who().user().to_owned(),
        };
        let version =
            version.map(|new| versions::Row::new(&row.id, grant.home(), row.created_at, &row.created_by, new));
        let (insert, first, limits) = (row.clone(), version.clone(), self.limits(grant.home()));
        let done = write!(self, |conn| {
            let counted = Counted::all(What::Pipelines, &insert.namespace);
            let home = insert.namespace.clone();
            // That the name is taken is told first: another version may be what is wanted, and takes no room.
            diesel::insert_into(pipelines::table).values(insert).execute(conn).await?;
            limits.admit(conn, &home, Quota::Pipelines, 1).await?;
            counted.add(conn, "", 1).await?;
            match first {
                Some((version, spec)) => versions::insert(conn, version, &spec).await,
                None => Ok(()),
            }
        });
        match done {
            Ok(()) => {}
            Err(error) if error.is_taken() => {
                let text = format!(
                    "a pipeline named {:?} exists already here; upload a version of it, or choose another name",
                    row.name
                );
                return Err(domain::Error::exists(text));
            }
            Err(error) => return Err(error.into()),
        }
        Ok((row.try_into()?, version.map(|(version, spec)| version.with(spec)).transpose()?))
    }

    /// A pipeline that the grant reaches.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn pipeline(&self, grant: &Grant<Get, Pipelines>, id: &str) -> Result<Pipeline> {
        grant.covers(Kind::Pipeline, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let row = read!(self, |conn| { find(conn, &home, &key).await })?;
        Ok(row.ok_or_else(|| domain::Error::not_found(Kind::Pipeline, id))?.try_into()?)
    }

    /// The pipeline of that name in the home of the grant.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn pipeline_by_name(&self, grant: &Grant<Get, Pipelines>, name: &str) -> Result<Pipeline> {
        let (home, key) = (grant.home().as_column().to_owned(), name.to_owned());
        let row = read!(self, |conn| {
            let query = pipelines::table.filter(pipelines::namespace.eq(home)).filter(pipelines::name.eq(key));
            Ok(query.select(Row::as_select()).first(conn).await.optional()?)
        })?;
        let row: Option<Row> = row.filter(|row: &Row| grant.covers(Kind::Pipeline, &row.id).is_ok());
        Ok(row.ok_or_else(|| domain::Error::not_found(Kind::Pipeline, name))?.try_into()?)
    }

    /// One page of the pipelines in the home of the grant.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn pipelines(&self, grant: &Grant<List, Pipelines>, query: Query) -> Result<Page<Pipeline>> {
        grant.covers_all()?;
        let plan = Plan::read(query, "pipelines", grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        let page = read!(self, |conn| {
            let all = || pipelines::table.filter(pipelines::namespace.eq(home.clone())).into_boxed();
            page(conn, plan, &key, Some(Counted::all(What::Pipelines, &home)), all).await
        })?;
        Ok(page.try_map(TryInto::try_into)?)
    }

    /// Changes the display name, if one is given, and the tags, if they are.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_pipeline(
        &self,
        grant: &Grant<Update, Pipelines>,
        id: &str,
        display_name: Option<String>,
        tags: Option<Tags>,
    ) -> Result<Pipeline> {
        grant.covers(Kind::Pipeline, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let row = write!(self, |conn| {
            let Some(mut row) = find(conn, &home, &key).await? else {
                return Err(domain::Error::not_found(Kind::Pipeline, &key).into());
            };
            row.display_name = display_name.unwrap_or(row.display_name);
            row.tags = tags.map_or(row.tags, |tags| columns::text(&tags));
            let changes = (pipelines::display_name.eq(row.display_name.clone()), pipelines::tags.eq(row.tags.clone()));
            diesel::update(pipelines::table.find(key)).set(changes).execute(conn).await?;
            Ok(row)
        })?;
        Ok(row.try_into()?)
    }

    /// Deletes a pipeline, and its versions if `cascade` says so.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` if it has versions and they are to stay.
    pub async fn delete_pipeline(&self, grant: &Grant<Delete, Pipelines>, id: &str, cascade: Cascade) -> Result<()> {
        grant.covers(Kind::Pipeline, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(write!(self, |conn| {
            if find(conn, &home, &key).await?.is_none() {
                return Err(domain::Error::not_found(Kind::Pipeline, &key).into());
            }
            let of_it = pipeline_versions::table.filter(pipeline_versions::pipeline_id.eq(key.clone()));
            match cascade {
                Cascade::Versions => versions::delete_all(conn, &home, &key).await?,
                Cascade::Nothing if of_it.count().get_result::<i64>(conn).await? > 0 => {
                    let text = format!("pipeline {key} has versions: delete them first, or ask with cascade=true");
                    return Err(domain::Error::invalid(text).into());
                }
                Cascade::Nothing => {}
            }
            diesel::delete(pipelines::table.find(key)).execute(conn).await?;
            Counted::all(What::Pipelines, &home).add(conn, "", -1).await
        })?)
    }
}

/// What goes with a pipeline that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cascade {
    Versions,
    Nothing,
}

async fn find(conn: &mut Connection, home: &str, id: &str) -> Result<Option<Row>, Error> {
    let query = pipelines::table.filter(pipelines::id.eq(id)).filter(pipelines::namespace.eq(home));
    Ok(query.select(Row::as_select()).first(conn).await.optional()?)
}
