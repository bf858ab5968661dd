//! A model server on this machine that speaks the real wire format and follows a script.
//!
//! It is included by path, in the library's tests and in `tests/it`. *Invariant:* it listens on the loopback address, and
//! ends with the test. A request beyond the script is answered with status 418, so that a test sees it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// As it was sent: with the query; of a proxy, with the host.
    pub(crate) path: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// The body, where it is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    fn streams(&self) -> bool {
        self.json()["stream"] == true
    }

    /// The last message's text.
    pub(crate) fn last(&self) -> String {
        let body = self.json();
        let last = body["messages"].as_array().and_then(|messages| messages.last().cloned()).unwrap_or_default();
        last["content"].as_str().unwrap_or_default().to_owned()
    }
}

/// A piece of an answer's body.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// These bytes, at once.
    Bytes(Vec<u8>),
    /// Nothing for a while.
    Pause(Duration),
    /// The connection is cut.
    Reset,
    /// Nothing any more, and the connection stays.
    Stall,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) pieces: Vec<Piece>,
}

impl Reply {
    /// A status and a body that is JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Reply {
        Reply::raw(status, "application/json", body.to_string())
    }

    /// Whatever it may be.
    pub(crate) fn raw(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Reply {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Reply { status, headers, pieces: vec![Piece::Bytes(body.into())] }
    }

    /// Events, one piece each; the end is not added.
    pub(crate) fn events(events: &[Value]) -> Reply {
        let pieces = events.iter().map(|event| Piece::Bytes(format!("data: {event}\n\n").into_bytes())).collect();
        Reply { status: 200, headers: vec![("content-type".to_owned(), "text/event-stream".to_owned())], pieces }
    }

    /// With a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With one more piece.
    pub(crate) fn then(mut self, piece: Piece) -> Reply {
        self.pieces.push(piece);
        self
    }

    /// The last event of a stream.
    pub(crate) fn done(self) -> Reply {
        self.then(Piece::Bytes(b"data: [DONE]\n\n".to_vec()))
    }

    /// The same bytes in pieces of so many.
    pub(crate) fn cut(mut self, size: usize) -> Reply {
        let cut = |piece: Piece| match piece {
            Piece::Bytes(bytes) => bytes.chunks(size).map(|part| Piece::Bytes(part.to_vec())).collect(),
            other => vec![other],
        };
        self.pieces = self.pieces.into_iter().flat_map(cut).collect();
        self
    }
}

/// What a model says in one turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    text: String,
    calls: Vec<(String, String)>,
    finish: Option<&'static str>,
    usage: Option<Value>,
}

/// Words.
pub(crate) fn text(text: &str) -> Said {
    Said { text: text.to_owned(), usage: Some(usage(100, 10)), ..Said::default() }
}

/// Calls of tools: names and arguments.
pub(crate) fn calls(calls: &[(&str, Value)]) -> Said {
    let calls = calls.iter().map(|(name, arguments)| ((*name).to_owned(), arguments.to_string())).collect();
    Said { calls, usage: Some(usage(100, 10)), ..Said::default() }
}

fn usage(input: u64, output: u64) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output, "prompt_tokens_details": {"cached_tokens": 0}})
}

impl Said {
    /// With words before the calls.
    pub(crate) fn saying(mut self, text: &str) -> Said {
        text.clone_into(&mut self.text);
        self
    }

    /// Why it stopped, where it is not what it seems.
    pub(crate) fn finish(mut self, reason: &'static str) -> Said {
        self.finish = Some(reason);
        self
    }

    /// With these costs, or without any.
    pub(crate) fn usage(mut self, usage: Option<Value>) -> Said {
        self.usage = usage;
        self
    }

    fn reason(&self) -> &'static str {
        self.finish.unwrap_or(if self.calls.is_empty() { "stop" } else { "tool_calls" })
    }

    /// As OpenAI writes it: a stream where one was asked for.
    pub(crate) fn reply(&self, asked: &Asked) -> Reply {
        if asked.streams() { self.stream(asked) } else { Reply::json(200, &self.whole(asked)) }
    }

    /// The answer at once.
    pub(crate) fn whole(&self, asked: &Asked) -> Value {
        let call = |(number, (name, arguments)): (usize, &(String, String))| json!({"id": format!("call_x{number}"), "type": "function", "function": {"name": name, "arguments": arguments}});
        let mut message = json!({"role": "assistant", "content": self.text, "refusal": null});
        if !self.calls.is_empty() {
            message["tool_calls"] = self.calls.iter().enumerate().map(call).collect::<Vec<_>>().into();
        }
        let mut body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": asked.json()["model"], "service_tier": "default",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": self.reason()}],
        });
        if let Some(usage) = &self.usage {
            body["usage"] = usage.clone();
        }
        body
    }

    fn stream(&self, asked: &Asked) -> Reply {
        let model = asked.json()["model"].clone();
        let event = |delta: Value, finish: Value| {
            json!({
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "system_fingerprint": "fp",
                "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}], "usage": null,
            })
        };
        let mut events = vec![event(json!({"role": "assistant", "content": ""}), Value::Null)];
        for word in self.text.split_inclusive(' ') {
            events.push(event(json!({"content": word}), Value::Null));
        }
        for (index, (name, arguments)) in self.calls.iter().enumerate() {
            let head = json!({"index": index, "id": format!("call_x{index}"), "type": "function", "function": {"name": name, "arguments": ""}});
            events.push(event(json!({"tool_calls": [head]}), Value::Null));
            let letters: Vec<char> = arguments.chars().collect();
            for part in letters.chunks(7) {
                let part: String = part.iter().collect();
                let piece = json!({"index": index, "function": {"arguments": part}});
                events.push(event(json!({"tool_calls": [piece]}), Value::Null));
            }
        }
        events.push(event(json!({}), self.reason().into()));
        if let Some(usage) = self.usage.clone().filter(|_| asked.json()["stream_options"]["include_usage"] == true) {
            events.push(json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": model, "choices": [], "usage": usage}));
        }
        Reply::events(&events).done()
    }
}

/// One turn of a script.
pub(crate) type Turn = Box<dyn FnMut(&Asked) -> Reply + Send>;

impl From<Said> for Turn {
    fn from(said: Said) -> Turn {
        Box::new(move |asked| said.reply(asked))
    }
}

impl From<Reply> for Turn {
    fn from(reply: Reply) -> Turn {
        Box::new(move |_| reply.clone())
    }
}

/// A running server.
pub(crate) struct ModelServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ModelServer {
    /// Answers the first request by the first turn, and so on.
    pub(crate) fn scripted(script: Vec<Turn>) -> ModelServer {
        let mut script = script.into_iter();
        ModelServer::by(move |asked| match script.next() {
            Some(mut turn) => turn(asked),
            None => Reply::raw(418, "text/plain", "the script is at its end"),
        })
    }

    /// Answers each request by `answer`.
    pub(crate) fn by(answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> ModelServer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, ends) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (log, end, answer) = (Arc::clone(&asked), Arc::clone(&ends), Arc::new(Mutex::new(answer)));
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (log, end, answer) = (Arc::clone(&log), Arc::clone(&end), Arc::clone(&answer));
                // One that stalls must not hold up the next.
                thread::spawn(move || {
                    let Some(asked) = read(&stream) else { return };
                    log.lock().unwrap().push(asked.clone());
                    let reply = answer.lock().unwrap()(&asked);
                    // Whoever asked may have gone.
                    let _ = write(&stream, &reply, &end);
                });
            }
        });
        ModelServer { address, asked, ends, thread: Some(thread) }
    }

    /// Its address, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body })
}

fn write(mut stream: &TcpStream, reply: &Reply, ends: &AtomicBool) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = format!("HTTP/1.1 {} Status\r\nconnection: close\r\ntransfer-encoding: chunked\r\n", reply.status);
    for (name, value) in &reply.headers {
        head = head + name + ": " + value + "\r\n";
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    for piece in &reply.pieces {
        match piece {
            Piece::Bytes(bytes) if bytes.is_empty() => {}
            Piece::Bytes(bytes) => {
                let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
                stream.write_all(&chunk)?;
            }
            Piece::Pause(time) => thread::sleep(*time),
            Piece::Reset => return stream.shutdown(std::net::Shutdown::Both),
            Piece::Stall => {
                while !ends.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(20));
                }
                return Ok(());
            }
        }
    }
    stream.write_all(b"0\r\n\r\n")
}
