//! A server that passes requests on and remembers the answers, and then answers from memory: so that a
//! measurement of the provider is not one of the local AWS.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Explain, Result};

/// A running server.
pub struct Recording {
    address: String,
    memory: Arc<Memory>,
}

struct Memory {
    upstream: String,
    is_recording: AtomicBool,
    answers: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    missed: AtomicUsize,
}

/// A request or an answer: its first line, its headers and its body.
struct Message {
    first_line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Recording {
    /// Listens, and passes everything on to `upstream` (`127.0.0.1:port`).
    pub fn start(upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").explain("listening")?;
        let address = listener.local_addr().explain("listening")?.to_string();
        let memory = Arc::new(Memory {
            upstream: upstream.to_owned(),
            is_recording: AtomicBool::new(true),
            answers: Mutex::default(),
            missed: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&memory);
        // The threads end with the process; a broken connection is the client's affair.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let memory = Arc::clone(&shared);
                std::thread::spawn(move || memory.serve(stream));
            }
        });
        Ok(Self { address, memory })
    }

    /// Where clients send their requests.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on answers come from memory alone.
    pub fn play(&self) {
        self.memory.is_recording.store(false, Ordering::Relaxed);
    }

    /// How many requests found no answer in memory.
    pub fn missed(&self) -> usize {
        self.memory.missed.load(Ordering::Relaxed)
    }
}

impl Memory {
    fn serve(&self, stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut writer = stream.try_clone().ok()?;
        let mut reader = BufReader::new(stream);
        while let Some(request) = Message::read(&mut reader) {
            let answer = self.answer(&request)?;
            writer.write_all(&answer).ok()?;
        }
        Some(())
    }

    fn answer(&self, request: &Message) -> Option<Vec<u8>> {
        let key = request.key();
        let known = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let (Some(answer), false) = (&known, self.is_recording.load(Ordering::Relaxed)) {
            return Some(answer.clone());
        }
        self.missed.fetch_add(usize::from(!self.is_recording.load(Ordering::Relaxed)), Ordering::Relaxed);
        let mut upstream = TcpStream::connect(&self.upstream).ok()?;
        upstream.write_all(&request.bytes(true)).ok()?;
        let answer = Message::read(&mut BufReader::new(upstream))?.bytes(false);
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answer.clone());
        Some(answer)
    }
}

impl Message {
    fn read(from: &mut impl BufRead) -> Option<Self> {
        let mut first_line = String::new();
        if from.read_line(&mut first_line).ok()? == 0 {
            return None;
        }
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            from.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)];
        from.read_exact(&mut body).ok()?;
        Some(Self { first_line: first_line.trim_end().to_owned(), headers, body })
    }

    /// What makes two requests the same: signatures, times and ids of one attempt do not count.
    fn key(&self) -> Vec<u8> {
        let target = self.headers.iter().find(|(name, _)| name == "x-amz-target");
        let mut key = format!("{} {}\n", self.first_line, target.map_or("", |(_, value)| value)).into_bytes();
        key.extend_from_slice(&self.body);
        key
    }

    /// As it goes over the wire: requests one per connection, answers with the connection kept open.
    fn bytes(&self, ends_connection: bool) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.first_line);
        for (name, value) in
            self.headers.iter().filter(|(name, _)| name != "connection" && name != "content-length")
        {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n", self.body.len()));
        text.push_str(if ends_connection { "connection: close\r\n\r\n" } else { "\r\n" });
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
