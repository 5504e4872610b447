//! A router whose disk fills up: it refuses what it cannot record, and what it answered is there afterwards.
//!
//! `ulimit -f` bounds the size of a file; with its signal ignored, a longer write fails as on a full disk.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::desk::Desk;

/// A router in a folder, until it is dropped or asked to stop.
struct Running {
    process: Child,
    address: String,
}

impl Running {
    /// Starts it where no file may grow beyond `blocks` of 1,024 bytes.
    fn start(desk: &Desk, blocks: &str) -> Self {
        let binary = env!("CARGO_BIN_EXE_tierwise");
        let mut process = Command::new("bash")
            .current_dir(desk.path(""))
            .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"{binary}\" serve --listen 127.0.0.1:0 --log error")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("http://"))
            .unwrap_or_else(|| panic!("the router said {line:?}"));
        Self {
            address: address.to_owned(),
            process,
        }
    }

    /// Status and body of a request.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: router\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            body.to_owned(),
        )
    }

    /// Asks it to stop as a service manager does, and waits.
    fn stop(mut self) {
        let process = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .arg(process)
                .status()
                .unwrap()
                .success()
        );
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_router_whose_disk_is_full_decides_nothing_that_it_cannot_record() {
    let desk = Desk::new();
    desk.done("store migrate sqlite:tierwise.db");
    let router = Running::start(&desk, "200");
    let mut answered = Vec::new();
    let mut refused = 0;
    for batch in 0..12 {
        let requests: Vec<Value> = (0..200)
            .map(|unit| json!({ "unit_id": format!("u{batch}-{unit}") }))
            .collect();
        let (status, body) = router.ask(
            "POST",
            "/v1/decide/batch",
            &json!({ "requests": requests }).to_string(),
        );
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        for one in body["decisions"].as_array().unwrap() {
            match one["decision_id"].as_str() {
                Some(id) => answered.push(id.to_owned()),
                None => {
                    assert_eq!(one["error"]["status"], 503, "{one}");
                    refused += 1;
                }
            }
        }
    }
    assert!(
        !answered.is_empty() && refused > 0,
        "{} answered, {refused} refused",
        answered.len()
    );
    let (status, body) = router.ask("POST", "/v1/decide", r#"{"unit_id": "u"}"#);
    assert!(status == 503 || status == 200, "{status} {body}");
    assert_eq!(router.ask("GET", "/healthz", "").0, 200);
    drop(router);

    // Killed as it was, and started where there is room: what was answered arrives, once.
    Running::start(&desk, "unlimited").stop();
    desk.done("store export sqlite:tierwise.db --jsonl stored.jsonl");
    let stored = desk.text("stored.jsonl");
    let mut lines: Vec<&str> = stored.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), stored.lines().count());
    for id in &answered {
        assert!(
            stored.contains(id.as_str()),
            "{id} was answered, and is not stored"
        );
    }
}
