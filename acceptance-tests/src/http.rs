//! As much HTTP as the control endpoints of the local AWS need.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::{Explain, Failure, Result};

/// Sends one request to `address` (`127.0.0.1:port`) and reads the JSON answer.
/// One connection per request: there are no chunks and nothing to keep alive.
pub fn request(address: &str, method: &str, target: &str, body: Option<&Value>) -> Result<Value> {
    let what = format!("{method} http://{address}{target}");
    let mut stream = TcpStream::connect(address).explain(&what)?;
    stream.set_read_timeout(Some(Duration::from_secs(120))).explain(&what)?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).explain(&what)?;
    stream.write_all(body.as_bytes()).explain(&what)?;
    let (head, content) = answer(&mut BufReader::new(stream)).explain(&what)?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(Failure::new(format!("{what}: HTTP {status}: {content}")));
    }
    serde_json::from_str(&content).explain(format_args!("{what}: {content}"))
}

/// The status line and the content of an answer, as long as its head says.
fn answer(from: &mut impl BufRead) -> std::io::Result<(String, String)> {
    let mut status = String::new();
    from.read_line(&mut status)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) =
            line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().map_err(|_| std::io::Error::other(format!("{name}:{value}")))?;
        }
    }
    let mut content = vec![0; length];
    from.read_exact(&mut content)?;
    Ok((status, String::from_utf8_lossy(&content).into_owned()))
}

/// A text as it may stand in a query.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
