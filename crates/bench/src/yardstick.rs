//! The yardstick: a server that does nothing but answer 200 bytes, on the same HTTP stack.
//!
//! Machines differ; the ratio of a server's throughput to the yardstick's, measured in the same run with the same
//! requests, differs far less. Figures that are compared between machines or versions are such ratios.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Failure;
use crate::arguments::Arguments;
use crate::connection::{Keys, Route};
use crate::process::Server;
use crate::report::{Row, Under};
use crate::scenario::Load;
use crate::work::Work;

const ANSWER_BYTES: usize = 200;

/// Serves until standard input ends, which it does when whoever started this has ended.
pub(crate) fn serve() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let mut connections = JoinSet::new();
        let mut input = tokio::io::stdin();
        let mut byte = [0];
        loop {
            tokio::select! {
                _ = input.read(&mut byte) => return Ok(()),
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    stream.set_nodelay(true)?;
                    let http = hyper::server::conn::http1::Builder::new();
                    connections.spawn(http.serve_connection(TokioIo::new(stream), service_fn(answer)));
                }
            }
        }
    })
}

/// Reads the request to its end, as any server must, and answers the same to all.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    static ANSWER: [u8; ANSWER_BYTES] = [b'x'; ANSWER_BYTES];
    // A request that breaks off breaks the connection, which hyper notices by itself.
    let _ = request.into_body().collect().await;
    Ok(Response::new(Full::new(Bytes::from_static(&ANSWER))))
}

/// The same requests as the send scenarios, without a server's work behind them.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Row>, Failure> {
    let server = Server::yardstick().await?;
    let keys = Keys {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "yardstick".to_owned(),
    };
    let queues = vec!["http://127.0.0.1/000000000000/yardstick".to_owned()];
    let mut rows = Vec::new();
    for batch in [1, 10] {
        let route = Route::plain(&server.address);
        let load = Load {
            arguments,
            server: &server,
            keys: &keys,
            queues: &queues,
            under: Under {
                server: "yardstick".to_owned(),
                encryption: "none",
                transport: route.transport.to_string(),
                batch,
                body_bytes: arguments.body_bytes,
                statements: 0,
                note: "",
            },
            route,
            groups: None,
            messages: arguments.messages,
            numbers: arguments.messages,
        };
        rows.push(load.run(Work::SendUnread, Vec::new()).await?.row);
    }
    server.stop().await?;
    Ok(rows)
}
