//! The reference for reading a run: a server of the same libraries that knows one answer and nothing else.
use anyhow::Context;
use api::v2::{GetRunRequest, Run};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, header},
    routing::{get, post},
};
use prost::Message;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tonic::{
    server::Grpc,
    service::Routes,
    transport::server::{Server, TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower::service_fn;

#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// The file of the answer's message.
    #[arg(long)]
    message: PathBuf,
    /// The file of its JSON.
    #[arg(long)]
    json: PathBuf,
}

/// Serves until it is killed. The first line on standard output is the address.
///
/// # Errors
/// A file that is none, or no port.
pub(crate) async fn serve(options: Options) -> anyhow::Result<()> {
    let run = Run::decode(fs::read(&options.message)?.as_slice())?;
    let json = Bytes::from(fs::read(&options.json)?);
    let over_grpc = async move |request: Request<Body>| {
        let answer = service_fn(move |_: tonic::Request<GetRunRequest>| {
            let run = run.clone();
            async move { Ok(tonic::Response::new(run)) }
        });
        Grpc::new(ProstCodec::<Run, GetRunRequest>::default()).unary(answer, request).await
    };
    let over_rest = async move || ([(header::CONTENT_TYPE, "application/json")], json);
    let routes = Router::new()
        .route(crate::calls::GET_RUN, post(over_grpc))
        .route("/apis/v2beta1/runs/{run_id}", get(over_rest));
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
    println!("{}", incoming.local_addr()?);
    Ok(Server::builder().accept_http1(true).add_routes(Routes::from(routes)).serve_with_incoming(incoming).await?)
}

/// A bare server in a process of its own, which ends with this value.
pub(crate) struct Bare {
    pub(crate) address: String,
    process: Child,
}

impl Bare {
    /// Starts one that gives this answer.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn start(folder: &Path, message: &[u8], json: &[u8]) -> anyhow::Result<Self> {
        let (message_file, json_file) = (folder.join("answer"), folder.join("answer.json"));
        fs::write(&message_file, message)?;
        fs::write(&json_file, json)?;
        let mut process = Command::new(std::env::current_exe()?)
            .arg("bare")
            .arg("--message")
            .arg(message_file)
            .arg("--json")
            .arg(json_file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let output = process.stdout.take().context("its output")?;
        BufReader::new(output).read_line(&mut address)?;
        Ok(Self { address: address.trim().to_owned(), process })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
