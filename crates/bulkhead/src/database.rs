//! Where everything is kept: a file of the data folder, or a database server.
use crate::data_dir;
use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};
use store::Store;

/// The URL of a database server. It may hold a password, so it is shown to nobody.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Url(String);

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql" | "mysql", _)) => Ok(Self(text.to_owned())),
            _ => Err("postgres://… or mysql://… is wanted; without a URL everything is in the data folder".to_owned()),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://…", self.kind())
    }
}

impl Url {
    /// Passes what is written like one.
    ///
    /// # Errors
    /// What is wanted instead.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.0.parse::<Self>().map(drop)
    }

    fn kind(&self) -> &str {
        self.0.split_once("://").map_or("", |(kind, _)| kind)
    }
}

/// The database that a command works on, beside a running server.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The data folder of the server.
    #[arg(long, value_name = "DIR", default_value = "data", env = "BULKHEAD_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
    /// The server's database, where that is not in its data folder: postgres://… or mysql://…. A password is better kept
    /// in the variable, since others can see the command.
    #[arg(long, value_name = "URL", env = "BULKHEAD_DATABASE_URL", hide_env_values = true)]
    pub(crate) database: Option<Url>,
}

impl Place {
    /// Opens the database if there is one: to make an empty one would only hide that the folder is another.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub(crate) async fn existing(&self) -> anyhow::Result<Store> {
        let file = data_dir::database(&self.data_dir);
        if self.database.is_none() && !file.exists() {
            bail!("there is no database in {}: name the server's data folder with --data-dir", self.data_dir.display());
        }
        open(self.database.as_ref(), &file).await
    }

    /// Opens the database, and makes it if there is none.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(crate) async fn made(&self) -> anyhow::Result<Store> {
        open(self.database.as_ref(), &data_dir::make(&self.data_dir)?).await
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        match &self.database {
            Some(url) => format!("whose database is {url:?}"),
            None => format!("whose data folder is {}", self.data_dir.display()),
        }
    }
}

/// Opens the database of this URL, else this file.
///
/// # Errors
/// It cannot be opened, or not be brought up to date.
pub(crate) async fn open(url: Option<&Url>, file: &Path) -> anyhow::Result<Store> {
    match url {
        Some(url) => Store::open(&url.0).await.with_context(|| format!("cannot open the database {url:?}")),
        None => Store::open(&file.to_string_lossy()).await.with_context(|| format!("cannot open {}", file.display())),
    }
}

/// The names of the migrations that the database has not had.
///
/// # Errors
/// It cannot be reached.
pub(crate) async fn pending(place: &Place) -> anyhow::Result<Vec<String>> {
    let file = data_dir::database(&place.data_dir);
    if place.database.is_none() && !file.exists() {
        bail!("there is no database in {}: name the server's data folder with --data-dir", place.data_dir.display());
    }
    let url = place.database.as_ref().map_or_else(|| file.to_string_lossy().into_owned(), |url| url.0.clone());
    store::pending(&url).await.context("cannot look at the database")
}
