//! Artifacts of a namespace, one and by pages.
use super::Row;
use crate::{
    Store,
    connect::{find, read},
    page::{Plan, Weigh, keys},
    schema::artifacts,
};
use access::Grant;
use api::access::{
    resource::Runs,
    verb::{Get, List},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    KeptArtifact, Kind, Result,
    list::{Page, Query},
};

impl Weigh for Row {
    fn bytes(&self) -> usize {
        self.metadata.len() + self.uri.len() + self.description.len()
    }
}

/// What rows call a type that clients name: the title of its schema, which they may name as well.
fn kind(text: &str) -> Option<String> {
    Some(match text {
        "Metric" => "system.Metrics".to_owned(),
        "ClassificationMetric" => "system.ClassificationMetrics".to_owned(),
        "SlicedClassificationMetric" => "system.SlicedClassificationMetrics".to_owned(),
        "Artifact" | "Model" | "Dataset" | "HTML" | "Markdown" => format!("system.{text}"),
        title => title.to_owned(),
    })
}

keys!(artifacts, Row, {
    "id" | "artifact_id" => text id,
    "name" => text name,
    "namespace" => text namespace,
    "run_id" => text run_id,
    "type" => text(kind) kind,
    "uri" => text uri,
    "created_at" => time created_at,
});

impl Store {
    /// One page of the artifacts in the home of the grant.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn artifacts(&self, grant: &Grant<List, Runs>, query: Query) -> Result<Page<KeptArtifact>> {
        grant.covers_all()?;
        let plan = Plan::read(query, "artifacts", grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        let page = read!(self, |conn| {
            let all = || artifacts::table.filter(artifacts::namespace.eq(home.clone())).into_boxed();
            page(conn, plan, &key, None, all).await
        })?;
        Ok(page.try_map(TryInto::try_into)?)
    }

    /// An artifact that the grant reaches.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn artifact(&self, grant: &Grant<Get, Runs>, id: &str) -> Result<KeptArtifact> {
        grant.covers(Kind::Artifact, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let row: Option<Row> = find!(self, |conn| {
            let it = artifacts::table.filter(artifacts::id.eq(&key)).filter(artifacts::namespace.eq(&home));
            Ok(it.select(Row::as_select()).first(conn).await.optional()?)
        })?;
        Ok(row.ok_or_else(|| domain::Error::not_found(Kind::Artifact, id))?.try_into()?)
    }
}
