//! The other end of the operator's door: commands that ask the running server, or open the data of a stopped one
//! themselves.

use crate::control::{Address, LINE_BYTES_MAX};
use crate::operator_error::OperatorError;
use bulla_runtime::Runtime;
use bulla_storage::{Stores, open_embedded};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use zeroize::Zeroizing;

/// Asks the server that uses a data folder; `None` when there is none.
pub(crate) fn ask(data: &Path, command: &str, arguments: &Value) -> Result<Option<Value>, OperatorError> {
    let address = Address::of(data)
        .map_err(|error| OperatorError::usage(format!("`{}` cannot be used", data.display())).why(error))?;
    // No socket, or one that nobody listens on. Whether nobody uses the data then, their lock tells.
    let Ok(stream) = UnixStream::connect(address.path()) else {
        return Ok(None);
    };
    let failed = |error: std::io::Error| {
        OperatorError::failed("the server did not answer")
            .why(error)
            .fix("look into the server's log; it must run as the same user, or this command as root")
    };
    // There may be secrets among the arguments.
    let asked = Zeroizing::new(format!(
        "{}\n",
        json!({ "command": command, "arguments": arguments })
    ));
    let mut line = String::new();
    (&stream)
        .write_all(asked.as_bytes())
        .and_then(|()| BufReader::new(&stream).take(LINE_BYTES_MAX).read_line(&mut line))
        .map_err(failed)?;
    let answer: Value = serde_json::from_str(&line).map_err(|error| failed(error.into()))?;
    match (answer.get("ok"), answer.get("error")) {
        (Some(value), _) => Ok(Some(value.clone())),
        (None, error) => Err(OperatorError::from_json(error.unwrap_or(&Value::Null))),
    }
}

/// Opens the data of a server that is stopped: nobody else can until `work` is done.
pub(crate) fn open_stopped<T>(
    data: &Path,
    work: impl AsyncFnOnce(&Runtime, &Stores) -> Result<T, OperatorError>,
) -> Result<T, OperatorError> {
    let world = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| OperatorError::failed("the program's threads could not start").why(error))?;
    world.block_on(async {
        let (runtime, _trigger) = Runtime::system();
        let stores = open_embedded(data, runtime.tasks.as_ref())
            .map_err(|error| OperatorError::failed(error.to_string()))?;
        let done = work(&runtime, &stores).await;
        let released = stores.released.clone();
        drop(stores);
        released.wait().await;
        done
    })
}

/// Refuses a folder that is not a server's, before anything is made in it.
pub(crate) fn must_be_data(data: &Path) -> Result<(), OperatorError> {
    if data.join("format").is_file() {
        return Ok(());
    }
    Err(
        OperatorError::usage(format!("there are no data in `{}`", data.display()))
            .why("it is not a data folder of Bulla")
            .fix("name the server's data folder with `--data`"),
    )
}
