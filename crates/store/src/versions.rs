//! Versions of pipelines. They live where their pipeline does.
use crate::{
    Error, Store, columns,
    connect::{Connection, read, write},
    counts::{Counted, What},
    page::{Plan, Weigh, Weights, keys},
    schema::{pipeline_versions, pipelines},
    specs::{self, Specs, Wanted},
};
use access::Grant;
use api::access::{resource::Pipelines, verb::*};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Home, Kind, NewVersion, PipelineId, PipelineVersion, PipelineVersionId, Result, Tags, Timestamp,
    list::{Page, Query},
};
use futures::future::BoxFuture;
use std::{collections::HashMap, sync::Arc};

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = pipeline_versions, check_for_backend(crate::any::AnyBackend))]
pub(crate) struct Row {
    id: String,
    namespace: String,
    pipeline_id: String,
    name: String,
    display_name: String,
    description: String,
    created_at: i64,
    code_source_url: String,
    tags: String,
    spec_hash: String,
    created_by: String,
    package_url: String,
}

impl Weigh for Row {
    fn besides<'a>(conn: &'a mut Connection, rows: &'a [Self], _: Wanted) -> BoxFuture<'a, Result<Weights, Error>> {
        Box::pin(async move {
            let Some(home) = rows.first().map(|row| &row.namespace) else { return Ok(Weights::new()) };
            let with: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.spec_hash.as_str())).collect();
            specs::weights(conn, home, &with).await
        })
    }
}

keys!(pipeline_versions, Row, {
    "id" | "pipeline_version_id" => text id,
    "name" => text name,
    "display_name" => text display_name,
    "description" => text description,
    "created_at" => time created_at,
    "created_by" => text created_by,
}, tags: tags);

impl Row {
    /// A new version, with its definition.
    pub(crate) fn new(
        pipeline_id: &str,
        home: &Home,
        created_at: i64,
        created_by: &str,
        new: NewVersion,
    ) -> (Self, Arc<str>) {
        let spec = Arc::<str>::from(new.spec);
        let row = Row {
            id: PipelineVersionId::fresh().to_string(),
            namespace: home.as_column().to_owned(),
            pipeline_id: pipeline_id.to_owned(),
            name: new.name,
            display_name: new.display_name,
            description: new.description,
            created_at,
            code_source_url: new.code_source_url,
            tags: columns::text(&new.tags),
            spec_hash: specs::hash(&spec),
            created_by: created_by.to_owned(),
            package_url: new.package_url,
        };
        (row, spec)
    }

    /// The version, with its definition.
    pub(crate) fn with(self, spec: Arc<str>) -> Result<PipelineVersion, Error> {
        Ok(PipelineVersion {
            id: PipelineVersionId::from_text(self.id),
            pipeline_id: PipelineId::from_text(self.pipeline_id),
            name: self.name,
            display_name: self.display_name,
            description: self.description,
            created_at: Timestamp(self.created_at),
            code_source_url: self.code_source_url,
            package_url: self.package_url,
            tags: columns::value("pipeline_versions.tags", &self.tags)?,
            spec,
            created_by: self.created_by,
        })
    }
}

impl Store {
    /// Adds a version to a pipeline that the grant reaches.
    ///
    /// # Errors
    /// `NotFound` for the pipeline; `AlreadyExists` if it has a version of that name.
    pub async fn create_version(
        &self,
        grant: &Grant<Create, Pipelines>,
        pipeline_id: &str,
        new: NewVersion,
    ) -> Result<PipelineVersion> {
        grant.covers(Kind::Pipeline, pipeline_id)?;
        let (row, spec) = Row::new(pipeline_id, grant.home(), self.clock.now().0, grant.who().user(), new);
        let (insert, text, home) = (row.clone(), spec.clone(), grant.home().as_column().to_owned());
        let done = write!(self, |conn| {
            let parent =
                pipelines::table.filter(pipelines::id.eq(&insert.pipeline_id)).filter(pipelines::namespace.eq(home));
            if parent.count().get_result::<i64>(conn).await? == 0 {
                return Err(domain::Error::not_found(Kind::Pipeline, &insert.pipeline_id).into());
            }
            self::insert(conn, insert, &text).await
        });
        match done {
            Ok(()) => Ok(row.with(spec)?),
            Err(error) if error.is_taken() => {
                let text =
                    format!("pipeline {pipeline_id} has a version named {:?} already; choose another name", row.name);
                Err(domain::Error::exists(text))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A version that the grant reaches, of that pipeline if one is named.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn version(&self, grant: &Grant<Get, Pipelines>, pipeline_id: &str, id: &str) -> Result<PipelineVersion> {
        grant.covers(Kind::PipelineVersion, id)?;
        let (home, pipeline, key) = (grant.home().as_column().to_owned(), pipeline_id.to_owned(), id.to_owned());
        let specs = self.specs.clone();
        let version = read!(self, |conn| match find(conn, &home, &pipeline, &key).await? {
            Some(row) => Ok(Some(complete(conn, &specs, row).await?)),
            None => Ok(None),
        })?;
        version.ok_or_else(|| domain::Error::not_found(Kind::PipelineVersion, id))
    }

    /// The latest version of a pipeline that the grant reaches: by time, then by id.
    ///
    /// # Errors
    /// `NotFound` if the pipeline has none.
    pub async fn latest_version(&self, grant: &Grant<Get, Pipelines>, pipeline_id: &str) -> Result<PipelineVersion> {
        let latest = self.latest_version_if_any(grant, pipeline_id).await?;
        latest
            .ok_or_else(|| domain::Error::new(domain::Code::NotFound, format!("Pipeline {pipeline_id} has no version")))
    }

    /// The same, or nothing.
    ///
    /// # Errors
    /// Of the database.
    pub async fn latest_version_if_any(
        &self,
        grant: &Grant<Get, Pipelines>,
        pipeline_id: &str,
    ) -> Result<Option<PipelineVersion>> {
        grant.covers(Kind::Pipeline, pipeline_id)?;
        let (home, pipeline) = (grant.home().as_column().to_owned(), pipeline_id.to_owned());
        let specs = self.specs.clone();
        Ok(read!(self, |conn| {
            let all = pipeline_versions::table
                .filter(pipeline_versions::namespace.eq(home))
                .filter(pipeline_versions::pipeline_id.eq(pipeline));
            let latest = all.order((pipeline_versions::created_at.desc(), pipeline_versions::id.desc()));
            match latest.select(Row::as_select()).first(conn).await.optional()? {
                Some(row) => Ok(Some(complete(conn, &specs, row).await?)),
                None => Ok(None),
            }
        })?)
    }

    /// The latest version of each of some pipelines in the home of the grant.
    ///
    /// # Errors
    /// Of the database.
    pub async fn latest_versions(
        &self,
        grant: &Grant<List, Pipelines>,
        ids: Vec<PipelineId>,
    ) -> Result<HashMap<PipelineId, PipelineVersion>> {
        ids.iter().try_for_each(|id| grant.covers(Kind::Pipeline, id.as_str()))?;
        let (home, specs) = (grant.home().as_column().to_owned(), self.specs.clone());
        Ok(read!(self, |conn| {
            let mut latest = HashMap::new();
            for id in ids {
                let all = pipeline_versions::table
                    .filter(pipeline_versions::namespace.eq(home.clone()))
                    .filter(pipeline_versions::pipeline_id.eq(id.as_str().to_owned()));
                let newest = all.order((pipeline_versions::created_at.desc(), pipeline_versions::id.desc()));
                if let Some(row) = newest.select(Row::as_select()).first(conn).await.optional()? {
                    latest.insert(id, complete(conn, &specs, row).await?);
                }
            }
            Ok(latest)
        })?)
    }

    /// One page of the versions of a pipeline that the grant reaches.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn versions(
        &self,
        grant: &Grant<List, Pipelines>,
        pipeline_id: &str,
        query: Query,
    ) -> Result<Page<PipelineVersion>> {
        grant.covers(Kind::Pipeline, pipeline_id)?;
        let plan = Plan::read(query, &format!("versions {pipeline_id}"), grant.home(), &self.page_key)?;
        let (home, pipeline) = (grant.home().as_column().to_owned(), pipeline_id.to_owned());
        let (key, specs) = (self.page_key.clone(), self.specs.clone());
        let (page, texts) = read!(self, |conn| {
            let all = || {
                pipeline_versions::table
                    .filter(pipeline_versions::namespace.eq(home.clone()))
                    .filter(pipeline_versions::pipeline_id.eq(pipeline.clone()))
                    .into_boxed()
            };
            let counted = Counted::of(What::Versions, &home, &pipeline);
            let page = page(conn, plan, &key, Some(counted), all).await?;
            let hashes = page.items.iter().map(|row| row.spec_hash.clone()).collect();
            let texts = specs.read_all(conn, &home, hashes).await?;
            Ok((page, texts))
        })?;
        Ok(page.try_map(|row| {
            let spec = texts.get(&row.spec_hash).cloned().unwrap_or_default();
            row.with(spec)
        })?)
    }

    /// Changes the display name, if one is given, and the tags, if they are.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_version(
        &self,
        grant: &Grant<Update, Pipelines>,
        pipeline_id: &str,
        id: &str,
        display_name: Option<String>,
        tags: Option<Tags>,
    ) -> Result<PipelineVersion> {
        grant.covers(Kind::PipelineVersion, id)?;
        let (home, pipeline, key) = (grant.home().as_column().to_owned(), pipeline_id.to_owned(), id.to_owned());
        let specs = self.specs.clone();
        Ok(write!(self, |conn| {
            let Some(mut row) = find(conn, &home, &pipeline, &key).await? else {
                return Err(domain::Error::not_found(Kind::PipelineVersion, &key).into());
            };
            row.display_name = display_name.unwrap_or(row.display_name);
            row.tags = tags.map_or(row.tags, |tags| columns::text(&tags));
            let changes = (
                pipeline_versions::display_name.eq(row.display_name.clone()),
                pipeline_versions::tags.eq(row.tags.clone()),
            );
            diesel::update(pipeline_versions::table.find(key)).set(changes).execute(conn).await?;
            complete(conn, &specs, row).await
        })?)
    }

    /// Deletes a version. Runs that used it keep their copy of its text.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_version(&self, grant: &Grant<Delete, Pipelines>, pipeline_id: &str, id: &str) -> Result<()> {
        grant.covers(Kind::PipelineVersion, id)?;
        let (home, pipeline, key) = (grant.home().as_column().to_owned(), pipeline_id.to_owned(), id.to_owned());
        Ok(write!(self, |conn| {
            let Some(row) = find(conn, &home, &pipeline, &key).await? else {
                return Err(domain::Error::not_found(Kind::PipelineVersion, &key).into());
            };
            diesel::delete(pipeline_versions::table.find(key)).execute(conn).await?;
            specs::let_go(conn, &home, &row.spec_hash).await?;
            Counted::of(What::Versions, &home, &row.pipeline_id).add(conn, "", -1).await
        })?)
    }
}

/// The row with its definition.
async fn complete(conn: &mut Connection, specs: &Specs, row: Row) -> Result<PipelineVersion, Error> {
    let spec = specs.read(conn, &row.namespace, &row.spec_hash).await?;
    row.with(spec)
}

/// Inserts a new version with its definition.
pub(crate) async fn insert(conn: &mut Connection, row: Row, spec: &Arc<str>) -> Result<(), Error> {
    specs::keep(conn, &row.namespace, &row.spec_hash, spec).await?;
    let counted = Counted::of(What::Versions, &row.namespace, &row.pipeline_id);
    diesel::insert_into(pipeline_versions::table).values(row).execute(conn).await?;
    counted.add(conn, "", 1).await
}

/// Deletes all versions of a pipeline of that home, which is being deleted.
pub(crate) async fn delete_all(conn: &mut Connection, home: &str, pipeline_id: &str) -> Result<(), Error> {
    let of_it = || pipeline_versions::table.filter(pipeline_versions::pipeline_id.eq(pipeline_id));
    let hashes: Vec<String> = of_it().select(pipeline_versions::spec_hash).distinct().load(conn).await?;
    let gone = diesel::delete(of_it()).execute(conn).await?;
    for hash in hashes {
        specs::let_go(conn, home, &hash).await?;
    }
    Counted::of(What::Versions, home, pipeline_id).add(conn, "", -i64::try_from(gone).unwrap_or(i64::MAX)).await
}

/// An empty `pipeline_id` is any: v1beta1 names versions alone.
async fn find(conn: &mut Connection, home: &str, pipeline_id: &str, id: &str) -> Result<Option<Row>, Error> {
    let it =
        pipeline_versions::table.filter(pipeline_versions::id.eq(id)).filter(pipeline_versions::namespace.eq(home));
    let row: Option<Row> = it.select(Row::as_select()).first(conn).await.optional()?;
    Ok(row.filter(|row| pipeline_id.is_empty() || row.pipeline_id == pipeline_id))
}
