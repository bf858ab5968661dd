//! Fetches one file, or one part of a file, and checks it.
//!
//! *Invariant:* no more is written than the digest allows for, and a file whose digest differs is an error.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc;

use flate2::write::DeflateDecoder;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::retrieve::http::{Http, told};
use crate::runbook::repo::hex;

/// No file of a model is larger.
const LARGEST: u64 = 1 << 30;
/// A page of a package index.
const LARGEST_PAGE: usize = 16 << 20;

/// A deflated member of a zip file that never changes.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// A file to fetch.
pub(super) struct Download {
    pub(super) url: Url,
    pub(super) part: Option<Part>,
    pub(super) sha256: String,
    pub(super) file: PathBuf,
}

enum Event {
    Bytes(u64, u64),
    End(Result<(), String>),
}

impl Download {
    /// Fetches it; `progress` gets the bytes that are here, and those in all.
    pub(super) fn run(self, http: &Http, progress: &mut dyn FnMut(u64, u64)) -> Result<(), String> {
        let client = http.client().clone();
        let (send, events) = mpsc::channel();
        http.spawn(async move {
            let end = self.fetch(&client, &send).await;
            let _ = send.send(Event::End(end));
        });
        loop {
            match events.recv() {
                Ok(Event::Bytes(done, total)) => progress(done, total),
                Ok(Event::End(end)) => return end,
                Err(_) => return Err("the download was given up".to_owned()),
            }
        }
    }

    async fn fetch(self, client: &reqwest::Client, events: &mpsc::Sender<Event>) -> Result<(), String> {
        let mut request = client.get(self.url.clone());
        if let Some(part) = self.part {
            request = request.header("range", format!("bytes={}-{}", part.offset, part.offset + part.length - 1));
        }
        let mut response = request.send().await.map_err(|error| told(&error))?;
        let whole = match response.status() {
            StatusCode::OK => true,
            StatusCode::PARTIAL_CONTENT if self.part.is_some() => false,
            status => return Err(format!("status {}", status.as_u16())),
        };
        let total = self.part.map(|part| part.length).or(response.content_length()).unwrap_or(0);
        let file = File::create(&self.file).map_err(|error| error.to_string())?;
        let mut sink = Sink::new(file, self.part, whole);
        let mut reported = 0;
        while let Some(bytes) = response.chunk().await.map_err(|error| told(&error))? {
            sink.take(&bytes).map_err(|error| error.to_string())?;
            if sink.taken - reported >= 1 << 18 || sink.taken == total {
                reported = sink.taken;
                let _ = events.send(Event::Bytes(reported, total));
            }
            if sink.is_full() {
                break;
            }
        }
        let digest = sink.end().map_err(|error| format!("it is not the file that was published: {error}"))?;
        if digest == self.sha256 {
            return Ok(());
        }
        Err(format!("it is not the file that was published: its SHA-256 is {digest}, not {}", self.sha256))
    }
}

/// Where the bytes of an answer go.
struct Sink {
    /// Before the part.
    skip: u64,
    /// Of the part.
    left: u64,
    taken: u64,
    to: To,
}

enum To {
    Plain(Checked),
    Inflated(DeflateDecoder<Checked>),
}

impl Sink {
    fn new(file: File, part: Option<Part>, whole: bool) -> Sink {
        let checked = Checked { file, digest: Sha256::new(), written: 0 };
        match part {
            Some(part) => Sink {
                // A server that knows no ranges sends all.
                skip: if whole { part.offset } else { 0 },
                left: part.length,
                taken: 0,
                to: To::Inflated(DeflateDecoder::new(checked)),
            },
            None => Sink { skip: 0, left: LARGEST, taken: 0, to: To::Plain(checked) },
        }
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        let rest = bytes.get(skipped..).unwrap_or_default();
        let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
        self.left -= taken as u64;
        self.taken += taken as u64;
        let rest = rest.get(..taken).unwrap_or_default();
        match &mut self.to {
            To::Plain(to) => to.write_all(rest),
            To::Inflated(to) => to.write_all(rest),
        }
    }

    fn is_full(&self) -> bool {
        self.left == 0
    }

    fn end(self) -> io::Result<String> {
        let mut checked = match self.to {
            To::Plain(checked) => checked,
            To::Inflated(decoder) => decoder.finish()?,
        };
        checked.file.flush()?;
        checked.file.sync_all()?;
        Ok(hex(&checked.digest.finalize()))
    }
}

/// A file whose digest is taken while it is written.
struct Checked {
    file: File,
    digest: Sha256,
    written: u64,
}

impl Write for Checked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written += bytes.len() as u64;
        if self.written > LARGEST {
            return Err(io::Error::other("it does not end"));
        }
        self.digest.update(bytes);
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A project's page in a package index, as JSON.
#[derive(Deserialize)]
struct Project {
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    filename: String,
    url: String,
}

/// The address of a file of a Python package, by the page of its project.
pub(super) fn package(http: &Http, page: Url, file: &str) -> Result<Url, String> {
    let client = http.client().clone();
    let (text, page) = http.run(async move {
        let kinds = "application/vnd.pypi.simple.v1+json, text/html;q=0.5";
        let response = client.get(page).header("accept", kinds).send().await.map_err(|error| told(&error))?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let url = response.url().clone();
        let mut response = response;
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(|error| told(&error))? {
            body.extend_from_slice(&bytes);
            if body.len() > LARGEST_PAGE {
                return Err("its page does not end".to_owned());
            }
        }
        Ok((String::from_utf8_lossy(&body).into_owned(), url))
    })??;
    let link = link(&text, file).ok_or_else(|| format!("it has no `{file}`"))?;
    page.join(&link).map_err(|error| error.to_string())
}

/// Where a page of a package index says that a file is.
fn link(page: &str, file: &str) -> Option<String> {
    if let Ok(project) = serde_json::from_str::<Project>(page) {
        return project.files.into_iter().find(|listed| listed.filename == file).map(|listed| listed.url);
    }
    let links = page.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()
    });
    let path = |link: &str| link.split(['#', '?']).next().unwrap_or_default().to_owned();
    links.map(path).find(|link| link.rsplit('/').next() == Some(file)).map(|link| link.replace("&amp;", "&"))
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
