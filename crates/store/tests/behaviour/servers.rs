//! PostgreSQL and MariaDB or MySQL, each started once for all cases, on a free port and in a folder of its own.
use diesel::{QueryableByName, sql_query, sql_types::BigInt};
use diesel_async::{AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use std::{
    env,
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the server and removes its folder when whoever started it has ended, however that was: its input ends then.
const KEEPER: &str = r#"folder=$1; shift
"$@" > "$folder/log" 2>&1 < /dev/null &
cat > /dev/null
kill -TERM $!; wait $!; rm -rf "$folder""#;

/// A server that runs.
struct Server {
    url: String,
    folder: PathBuf,
    _keeper: Child,
}

type Started = Result<Server, String>;

static POSTGRES: OnceCell<Started> = OnceCell::const_new();
static MYSQL: OnceCell<Started> = OnceCell::const_new();

/// The URL of a fresh database, or why there is none.
pub(crate) async fn postgres() -> Result<String, String> {
    let server = POSTGRES.get_or_init(start_postgres).await.as_ref().map_err(Clone::clone)?;
    let name = fresh();
    let mut connection = AsyncPgConnection::establish(&format!("{}/postgres", server.url)).await.unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    Ok(format!("{}/{name}", server.url))
}

/// The file of the certificate that servers show, which is its own authority.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// The URL of a fresh database, or why there is none.
pub(crate) async fn mysql() -> Result<String, String> {
    let server = MYSQL.get_or_init(start_mysql).await.as_ref().map_err(Clone::clone)?;
    let name = fresh();
    let mut connection = AsyncMysqlConnection::establish(&format!("{}/mysql", server.url)).await.unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    Ok(format!("{}/{name}", server.url))
}

/// The certificate that the server of a URL shows, in a file.
pub(crate) fn certificate(url: &str) -> PathBuf {
    let started = if url.starts_with("postgres") { POSTGRES.get() } else { MYSQL.get() };
    started.unwrap().as_ref().ok().unwrap().folder.join(CERTIFICATE)
}

/// Ends all connections to that database but this one.
pub(crate) async fn break_connections(url: &str) {
    if url.starts_with("postgres") {
        let mut connection = AsyncPgConnection::establish(url).await.unwrap();
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        connection.batch_execute(others).await.unwrap();
    } else if url.starts_with("mysql") {
        let mut connection = AsyncMysqlConnection::establish(url).await.unwrap();
        let others = "SELECT CAST(id AS SIGNED) AS id FROM information_schema.processlist \
                      WHERE db = DATABASE() AND id <> CONNECTION_ID()";
        for Connected { id } in sql_query(others).load::<Connected>(&mut connection).await.unwrap() {
            // It may have ended by itself.
            let _ = connection.batch_execute(&format!("KILL {id}")).await;
        }
    }
}

#[derive(QueryableByName)]
struct Connected {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

fn fresh() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("case_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

async fn start_postgres() -> Started {
    let (initdb, server) = (postgres_program("initdb")?, postgres_program("postgres")?);
    // It refuses to run as root.
    let user = is_root().then(|| id_of("postgres")).transpose()?;
    let mut prefix = Vec::new();
    if let Some((uid, gid)) = user {
        let arguments = [format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()];
        prefix.push(program("setpriv")?.display().to_string());
        prefix.extend(arguments);
    }
    let folder = folder(user);
    let data = folder.join("data");
    let words = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D"];
    run(&folder, &prefix, &initdb, &[&words[..], &[&data.to_string_lossy()]].concat())?;
    let port = free_port();
    let words = [
        format!("-D{}", data.display()),
        format!("-p{port}"),
        format!("-cunix_socket_directories={}", folder.display()),
        "-clisten_addresses=127.0.0.1".to_owned(),
        "-cmax_connections=500".to_owned(),
        "-cfsync=off".to_owned(),
        "-cssl=on".to_owned(),
        format!("-cssl_cert_file={}", folder.join(CERTIFICATE).display()),
        format!("-cssl_key_file={}", folder.join(KEY).display()),
    ];
    let url = format!("postgres://postgres@127.0.0.1:{port}");
    let server = Server { url: url.clone(), folder: folder.clone(), _keeper: keep(&folder, &prefix, &server, &words) };
    let ready = async || AsyncPgConnection::establish(&format!("{url}/postgres")).await.is_ok();
    answers(&folder, ready).await?;
    Ok(server)
}

async fn start_mysql() -> Started {
    let (install, server) = (program("mariadb-install-db")?, program("mariadbd")?);
    let folder = folder(None);
    let data = format!("--datadir={}", folder.join("data").display());
    let user = if is_root() { "--user=root" } else { "--skip-name-resolve" };
    let words = ["--no-defaults", user, &data, "--auth-root-authentication-method=normal", "--skip-test-db"];
    run(&folder, &[], &install, &words)?;
    let port = free_port();
    let words = [
        "--no-defaults".to_owned(),
        user.to_owned(),
        data,
        "--bind-address=127.0.0.1".to_owned(),
        format!("--port={port}"),
        format!("--socket={}", folder.join("socket").display()),
        format!("--pid-file={}", folder.join("pid").display()),
        "--max-connections=500".to_owned(),
        "--innodb-flush-log-at-trx-commit=0".to_owned(),
        format!("--ssl-cert={}", folder.join(CERTIFICATE).display()),
        format!("--ssl-key={}", folder.join(KEY).display()),
    ];
    let url = format!("mysql://root@127.0.0.1:{port}");
    let server = Server { url: url.clone(), folder: folder.clone(), _keeper: keep(&folder, &[], &server, &words) };
    let ready = async || AsyncMysqlConnection::establish(&format!("{url}/mysql")).await.is_ok();
    answers(&folder, ready).await?;
    Ok(server)
}

/// A program of the newest PostgreSQL: Debian has them beside the path.
fn postgres_program(name: &str) -> Result<PathBuf, String> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().map_or_else(|| program(name), Ok)
}

fn program(name: &str) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.ok_or_else(|| format!("there is no program {name}"))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

/// The numbers of a user and of its group.
fn id_of(user: &str) -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.split(':').next() == Some(user));
    let numbers = line.and_then(|line| {
        let mut words = line.split(':').skip(2).map(str::parse);
        Some((words.next()?.ok()?, words.next()?.ok()?))
    });
    numbers.ok_or_else(|| format!("there is no user {user}"))
}

/// A folder for a server, of that user, with a certificate.
fn folder(user: Option<(u32, u32)>) -> PathBuf {
    let folder = tempfile::Builder::new().prefix("bulkhead-database-").tempdir().unwrap().keep();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.join(CERTIFICATE), own.cert.pem()).unwrap();
    fs::write(folder.join(KEY), own.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(folder.join(KEY), Permissions::from_mode(0o600)).unwrap();
    if let Some((uid, gid)) = user {
        for path in [folder.clone(), folder.join(CERTIFICATE), folder.join(KEY)] {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a program to its end.
fn run(folder: &Path, prefix: &[String], program: &Path, words: &[&str]) -> Result<(), String> {
    let all: Vec<String> = prefix.iter().cloned().chain([program.display().to_string()]).collect();
    let done = Command::new(&all[0]).args(&all[1..]).args(words).current_dir(folder).output().unwrap();
    if !done.status.success() {
        fs::remove_dir_all(folder).unwrap();
        return Err(format!("{}: {}", program.display(), String::from_utf8_lossy(&done.stderr)));
    }
    Ok(())
}

fn keep(folder: &Path, prefix: &[String], program: &Path, words: &[String]) -> Child {
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(folder).args(prefix).arg(program).args(words);
    keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

async fn answers(folder: &Path, ready: impl AsyncFn() -> bool) -> Result<(), String> {
    let begin = Instant::now();
    while !ready().await {
        if begin.elapsed() > PATIENCE {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            return Err(format!("the server does not answer: {log}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
