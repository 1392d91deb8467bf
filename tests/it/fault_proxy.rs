//! A small HTTP proxy between the program and ClickHouse that fails as it is told, one insert after the other.
//!
//! Inserts into a table under test take the next fault from the script, and pass when there is none left; every other
//! request passes. One request a connection, so that a fault is of one request and of no other.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to an insert.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// The connection is closed before the body is read.
    ResetBeforeBody,
    /// ClickHouse gets half of the body, then both connections are closed.
    ResetInBody,
    /// ClickHouse takes the insert, and its answer is lost.
    ResetBeforeAnswer,
    /// ClickHouse takes the insert, and its answer breaks off in the middle.
    CutAnswer,
    /// ClickHouse takes the insert, and its answer comes this much later.
    SlowAnswer(Duration),
    /// ClickHouse gets nothing; this is the answer.
    Answer(String),
    /// ClickHouse gets the insert this much later, when its sender has long been cut off.
    Late(Duration),
}

impl Fault {
    /// ClickHouse's refusal with this error.
    pub fn refusal(code: u32, name: &str) -> Self {
        let text = format!("Code: {code}. DB::Exception: made up. ({name}) (version 26.7.2.1)\n");
        let header = format!("X-ClickHouse-Exception-Code: {code}\r\n");
        Self::Answer(answer("500 Internal Server Error", &header, &text))
    }

    /// An answer that begins well and ends with an exception, as servers up to 25.10 tell it.
    pub fn exception_in_a_200(code: u32) -> Self {
        let text = format!("Code: {code}. DB::Exception: made up. (ABORTED) (version 25.8.1.1 (official build))\n");
        Self::Answer(answer("200 OK", "", &text))
    }

    /// The same, as servers from 25.11 on tell it: between tags, with its length before the last one.
    pub fn tagged_exception_in_a_200(code: u32) -> Self {
        let tag = "abcdefghijklmnop";
        let text = format!("Code: {code}. DB::Exception: made up. (ABORTED) (version 26.7.2.1)\n");
        let body =
            format!("\r\n__exception__\r\n{tag}\r\n{text}{length} {tag}\r\n__exception__\r\n", length = text.len());
        Self::Answer(answer("200 OK", &format!("X-ClickHouse-Exception-Tag: {tag}\r\n"), &body))
    }

    /// What a proxy says when it does not reach the server.
    pub fn bad_gateway() -> Self {
        let page = "<html><head><title>502 Bad Gateway</title></head></html>";
        Self::Answer(answer("502 Bad Gateway", "", page))
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
        length = body.len()
    )
}

#[derive(Default)]
struct Script {
    faults: VecDeque<Fault>,
    requests: usize,
    inserts: usize,
    held_back: usize,
    late: usize,
}

/// The proxy; it lives until the test's process ends.
pub struct FaultProxy {
    pub url: String,
    script: Arc<Mutex<Script>>,
}

impl FaultProxy {
    /// Listens before ClickHouse at this URL. Faults are for inserts into `events` and `dead_letters`.
    pub fn before(clickhouse: &str, faults: impl IntoIterator<Item = Fault>) -> Self {
        let server: SocketAddr =
            clickhouse.trim_start_matches("http://").trim_end_matches('/').parse().expect("an address and a port");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script { faults: faults.into_iter().collect(), ..Script::default() }));
        let shared = Arc::clone(&script);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let script = Arc::clone(&shared);
                // A broken connection is what this is about.
                thread::spawn(move || drop(pass(&client, server, &script)));
            }
        });
        Self { url, script }
    }

    /// More faults, after those that are left.
    pub fn then(&self, faults: impl IntoIterator<Item = Fault>) {
        self.script.lock().unwrap().faults.extend(faults);
    }

    /// Faults that are still to come.
    pub fn left(&self) -> usize {
        self.script.lock().unwrap().faults.len()
    }

    /// Inserts that were held back and have meanwhile been brought to ClickHouse.
    pub fn late(&self) -> usize {
        self.script.lock().unwrap().late
    }

    /// Inserts that were held back.
    pub fn held_back(&self) -> usize {
        self.script.lock().unwrap().held_back
    }

    /// Inserts that came.
    pub fn inserts(&self) -> usize {
        self.script.lock().unwrap().inserts
    }

    /// Requests of any kind that came.
    pub fn requests(&self) -> usize {
        self.script.lock().unwrap().requests
    }

    /// Forgets the faults that are left.
    pub fn clear(&self) {
        self.script.lock().unwrap().faults.clear();
    }
}

/// One request, from its first byte to the last of its answer.
fn pass(client: &TcpStream, server: SocketAddr, script: &Mutex<Script>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let head = read_head(&mut reader)?;
    let fault = next_fault(&head, script);
    if matches!(fault, Fault::ResetBeforeBody) {
        return client.shutdown(Shutdown::Both);
    }
    let body = read_body(&mut reader, &head)?;
    let request = [closing(&head).as_bytes(), body.as_slice()].concat();
    match fault {
        Fault::Answer(text) => return (&mut &*client).write_all(text.as_bytes()),
        Fault::ResetInBody => {
            let upstream = TcpStream::connect(server)?;
            (&mut &upstream).write_all(&request[..request.len() - body.len() / 2])?;
            upstream.shutdown(Shutdown::Both)?;
            return client.shutdown(Shutdown::Both);
        }
        Fault::Late(delay) => {
            client.shutdown(Shutdown::Both)?;
            thread::sleep(delay);
            forward(server, &request)?;
            script.lock().unwrap().late += 1;
            return Ok(());
        }
        _ => {}
    }
    let answer = forward(server, &request)?;
    match fault {
        Fault::ResetBeforeAnswer => return client.shutdown(Shutdown::Both),
        Fault::CutAnswer => {
            // Enough for the status, not for the headers, which tell how long the answer is.
            let cut = answer.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 10).min(answer.len());
            (&mut &*client).write_all(&answer[..cut])?;
            return client.shutdown(Shutdown::Both);
        }
        Fault::SlowAnswer(delay) => thread::sleep(delay),
        _ => {}
    }
    (&mut &*client).write_all(&answer)?;
    client.shutdown(Shutdown::Both)
}

fn next_fault(head: &str, script: &Mutex<Script>) -> Fault {
    let is_insert =
        ["events", "dead_letters"].iter().any(|table| head.contains(&format!("query=INSERT+INTO+{table}+")));
    let mut script = script.lock().unwrap();
    script.requests += 1;
    if !is_insert {
        return Fault::Pass;
    }
    script.inserts += 1;
    let fault = script.faults.pop_front().unwrap_or(Fault::Pass);
    script.held_back += usize::from(matches!(fault, Fault::Late(_)));
    fault
}

fn forward(server: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(request)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

/// The head, asking ClickHouse to end the connection with its answer.
fn closing(head: &str) -> String {
    head.replacen("\r\n", "\r\nConnection: close\r\n", 1)
}

/// The body as it was sent, marks of its chunks included.
fn read_body(reader: &mut impl BufRead, head: &str) -> io::Result<Vec<u8>> {
    let lower = head.to_ascii_lowercase();
    let mut body = Vec::new();
    if let Some(rest) = lower.split("content-length:").nth(1) {
        let length = rest.split("\r\n").next().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        reader.take(length).read_to_end(&mut body)?;
        return Ok(body);
    }
    if !lower.contains("transfer-encoding: chunked") {
        return Ok(body);
    }
    loop {
        let mut mark = String::new();
        reader.read_line(&mut mark)?;
        let length = u64::from_str_radix(mark.trim(), 16).map_err(io::Error::other)?;
        body.extend_from_slice(mark.as_bytes());
        reader.take(length + 2).read_to_end(&mut body)?;
        if length == 0 {
            return Ok(body);
        }
    }
}
