//! PostgreSQL and MariaDB or MySQL on loopback, each on a free port and in a folder of its own.
use std::{
    env,
    fs::{self, Permissions},
    io,
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A server that runs, until whoever started it has ended.
#[derive(Debug)]
pub struct Server {
    /// Its URL, without a database.
    pub url: String,
    folder: PathBuf,
    keeper: Child,
}

/// Whether what is committed survives a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As the server is when nobody configures it.
    Full,
    /// Nothing waits for the disk: for tests.
    None,
}

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the server and removes its folder when whoever started it has ended, however that was: its input ends then.
const KEEPER: &str = r#"folder=$1; shift
"$@" > "$folder/log" 2>&1 < /dev/null &
cat > /dev/null
kill -TERM $!; wait $!; rm -rf "$folder""#;

/// The file of the certificate that servers show, which is its own authority.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

impl Server {
    /// A PostgreSQL whose user `postgres` needs no password, or why there is none.
    ///
    /// # Errors
    /// The reason, for people: it is not installed, or does not start.
    pub fn postgres(durability: Durability) -> Result<Self, String> {
        let (initdb, server) = (postgres_program("initdb")?, postgres_program("postgres")?);
        // It refuses to run as root.
        let user = is_root().then(|| id_of("postgres")).transpose()?;
        let mut prefix = Vec::new();
        if let Some((uid, gid)) = user {
            prefix.push(program("setpriv")?.display().to_string());
            prefix.extend([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
        }
        let folder = folder(user).map_err(|error| error.to_string())?;
        let data = folder.join("data");
        let words = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D"];
        run(&folder, &prefix, &initdb, &[&words[..], &[&data.to_string_lossy()]].concat())?;
        let port = free_port()?;
        let mut words = vec![
            format!("-D{}", data.display()),
            format!("-p{port}"),
            format!("-cunix_socket_directories={}", folder.display()),
            "-clisten_addresses=127.0.0.1".to_owned(),
            "-cmax_connections=500".to_owned(),
            "-cssl=on".to_owned(),
            format!("-cssl_cert_file={}", folder.join(CERTIFICATE).display()),
            format!("-cssl_key_file={}", folder.join(KEY).display()),
        ];
        if durability == Durability::None {
            words.push("-cfsync=off".to_owned());
        }
        let mut asks = Command::new(postgres_program("pg_isready")?);
        asks.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
        let url = format!("postgres://postgres@127.0.0.1:{port}");
        Self { url, keeper: keep(&folder, &prefix, &server, &words)?, folder }.answering(asks)
    }

    /// A MariaDB or MySQL whose user `root` needs no password, or why there is none.
    ///
    /// # Errors
    /// The reason, for people: it is not installed, or does not start.
    pub fn mysql(durability: Durability) -> Result<Self, String> {
        let (install, server) = (program("mariadb-install-db")?, program("mariadbd")?);
        let folder = folder(None).map_err(|error| error.to_string())?;
        let data = format!("--datadir={}", folder.join("data").display());
        let user = if is_root() { "--user=root" } else { "--skip-name-resolve" };
        let words = ["--no-defaults", user, &data, "--auth-root-authentication-method=normal", "--skip-test-db"];
        run(&folder, &[], &install, &words)?;
        let port = free_port()?;
        let mut words = vec![
            "--no-defaults".to_owned(),
            user.to_owned(),
            data,
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={port}"),
            format!("--socket={}", folder.join("socket").display()),
            format!("--pid-file={}", folder.join("pid").display()),
            "--max-connections=500".to_owned(),
            format!("--ssl-cert={}", folder.join(CERTIFICATE).display()),
            format!("--ssl-key={}", folder.join(KEY).display()),
        ];
        if durability == Durability::None {
            words.push("--innodb-flush-log-at-trx-commit=0".to_owned());
        }
        let mut asks = Command::new(program("mariadb-admin")?);
        asks.args(["--no-defaults", "-uroot", "-h127.0.0.1", &format!("-P{port}"), "--skip-ssl", "ping"]);
        let url = format!("mysql://root@127.0.0.1:{port}");
        Self { url, keeper: keep(&folder, &[], &server, &words)?, folder }.answering(asks)
    }

    /// The file of the certificate that it shows.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// Waits until that program says that the server answers.
    fn answering(self, mut asks: Command) -> Result<Self, String> {
        let begin = Instant::now();
        asks.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        while !asks.status().map_err(|error| error.to_string())?.success() {
            if begin.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("the server does not answer: {log}"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Whatever becomes of it, nobody waits for more.
        let _ = self.keeper.wait();
    }
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
fn folder(user: Option<(u32, u32)>) -> io::Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("bulkhead-database-").tempdir()?.keep();
    fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).map_err(io::Error::other)?;
    fs::write(folder.join(CERTIFICATE), own.cert.pem())?;
    fs::write(folder.join(KEY), own.signing_key.serialize_pem())?;
    fs::set_permissions(folder.join(KEY), Permissions::from_mode(0o600))?;
    if let Some((uid, gid)) = user {
        for path in [folder.clone(), folder.join(CERTIFICATE), folder.join(KEY)] {
            chown(path, Some(uid), Some(gid))?;
        }
    }
    Ok(folder)
}

fn free_port() -> Result<u16, String> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(bound.map_err(|error| error.to_string())?.port())
}

/// Runs a program to its end.
fn run(folder: &Path, prefix: &[String], program: &Path, words: &[&str]) -> Result<(), String> {
    let all: Vec<String> = prefix.iter().cloned().chain([program.display().to_string()]).collect();
    let done = Command::new(&all[0]).args(&all[1..]).args(words).current_dir(folder).output();
    let done = done.map_err(|error| format!("{}: {error}", program.display()))?;
    if !done.status.success() {
        // What is left is in the folder of temporary files.
        let _ = fs::remove_dir_all(folder);
        return Err(format!("{}: {}", program.display(), String::from_utf8_lossy(&done.stderr)));
    }
    Ok(())
}

fn keep(folder: &Path, prefix: &[String], program: &Path, words: &[String]) -> Result<Child, String> {
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(folder).args(prefix).arg(program).args(words);
    let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    keeper.map_err(|error| format!("sh: {error}"))
}
