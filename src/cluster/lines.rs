//! Reads an answer line by line, as logs are: what is not wanted is dropped as it comes.
//!
//! *Invariant:* no more than one line is held; it ends within the request time-out and its bound, and tells whether
//! it was cut.

use http::Request;
use http::header::ACCEPT;
use http_body_util::BodyExt;
use kube::client::Body;

use super::error::{ReadError, one_line};
use super::fault::Fault;
use super::read::{LONGEST, ReadClient, failure, not_sent, read_body};

/// The longest line that is handed on in one piece.
const LONGEST_LINE: usize = 1 << 20;

/// How far an answer was read line by line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// Its bytes.
    pub(super) bytes: usize,
    /// Whether there was more.
    pub(super) cut: bool,
}

impl ReadClient {
    /// Gets `path` and hands each line to `line` as it comes, so that none is held. It ends with the answer, after
    /// `most` bytes, or with the request time-out; the latter two cut it.
    pub(super) async fn lines(&self, path: &str, most: usize, mut line: impl FnMut(&[u8])) -> Result<Lines, ReadError> {
        let within = self.settings.timeout.unwrap_or(LONGEST);
        let mut read = Lines::default();
        let mut begun = Vec::new();
        let reading = async {
            let request = Request::get(path).header(ACCEPT, "*/*").body(Body::empty());
            let request = request.map_err(|error| ReadError::NotAllowed(one_line(&error.to_string())))?;
            let answer = self.client.send(request).await.map_err(not_sent)?;
            let status = answer.status();
            let mut body = answer.into_body();
            if !status.is_success() {
                return Err(failure(status.as_u16(), &read_body(body, Vec::new()).await?));
            }
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| ReadError::Connection(Fault::find(&error)))?;
                let Ok(data) = frame.into_data() else { continue };
                read.bytes += data.len();
                for part in data.split_inclusive(|byte| *byte == b'\n') {
                    begun.extend_from_slice(part);
                    // A line without end is no line: it is cut before it fills the memory.
                    if part.ends_with(b"\n") || begun.len() > LONGEST_LINE {
                        line(begun.strip_suffix(b"\n").unwrap_or(&begun));
                        begun.clear();
                    }
                }
                if read.bytes >= most {
                    read.cut = true;
                    break;
                }
            }
            Ok(())
        };
        match tokio::time::timeout(within, reading).await {
            Ok(ended) => ended?,
            Err(_) if read.bytes == 0 => return Err(ReadError::TimedOut(within)),
            Err(_) => read.cut = true,
        }
        if !begun.is_empty() && !read.cut {
            line(&begun);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{Fake, reply};

    async fn lines(body: &str, most: usize) -> (Vec<String>, Lines) {
        let fake = Fake::new().on("/api/v1/namespaces/shop/pods/web/log", [reply(200, body)]);
        let mut lines = Vec::new();
        let take = |line: &[u8]| lines.push(String::from_utf8_lossy(line).into_owned());
        let read = fake.client().lines("/api/v1/namespaces/shop/pods/web/log", most, take).await.unwrap();
        (lines, read)
    }

    #[tokio::test]
    async fn each_line_comes_once() {
        for (body, expected) in [("a\n\nb\n", &["a", "", "b"][..]), ("a\nb", &["a", "b"]), ("", &[])] {
            let (lines, read) = lines(body, 1 << 10).await;
            assert_eq!(lines, expected, "{body:?}");
            assert_eq!(read, Lines { bytes: body.len(), cut: false });
        }
    }

    #[tokio::test]
    async fn a_bound_cuts_and_says_so() {
        let (lines, read) = lines("one\ntwo\nthr", 5).await;
        assert!(read.cut);
        assert_eq!(lines, ["one", "two"], "half a line is none");
        let long = "x".repeat(LONGEST_LINE + 10);
        assert_eq!(self::lines(&long, 1 << 24).await.0.len(), 1);
    }

    #[tokio::test]
    async fn an_error_is_an_error() {
        let fake = Fake::new().on("/api/v1/namespaces/shop/pods/web/log", [reply(400, "{\"message\":\"no\"}")]);
        let error = fake.client().lines("/api/v1/namespaces/shop/pods/web/log", 9, |_| {}).await.unwrap_err();
        assert_eq!(error.status(), Some(400));
        assert!(fake.client().lines("/api/v1/namespaces/shop/pods/web/exec", 9, |_| {}).await.is_err());
    }
}
