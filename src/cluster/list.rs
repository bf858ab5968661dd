//! Reads one list, page by page.
//!
//! *Invariant:* while a page is parsed the next one is on its way, and no third is held; what is
//! parsed is redacted before anything else sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::error::ReadError;
use super::fault::Fault;
use super::page;
use super::plan::{List, Parse};
use super::read::ReadClient;
use crate::model::Objects;
use crate::redact::Redactor;

/// Requests under way at once.
const IN_FLIGHT: usize = 12;

/// Bytes after which the next page is asked for with fewer objects.
const LARGE_PAGE: usize = 8 << 20;
/// Bytes below which it is asked for with more, as far as the list allows: each page is a round trip.
const SMALL_PAGE: usize = 1 << 20;
/// Objects on a page of large ones.
const SMALLEST_PAGE: u32 = 10;

/// What all lists share.
#[derive(Clone)]
pub(super) struct Lister {
    pub(super) client: ReadClient,
    redactor: Arc<Redactor>,
    requests: Arc<Semaphore>,
    cores: Arc<Semaphore>,
    silences: Arc<AtomicUsize>,
}

/// What a list gave.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// What came, redacted.
    pub(super) objects: Objects,
    /// Why the rest did not.
    pub(super) failure: Option<ReadError>,
    /// Whether there was more than was asked for.
    pub(super) more: bool,
}

impl Lister {
    pub(super) fn new(client: ReadClient, redactor: &Redactor) -> Lister {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Lister {
            client,
            redactor: Arc::new(redactor.clone()),
            requests: Arc::new(Semaphore::new(IN_FLIGHT)),
            cores: Arc::new(Semaphore::new(cores)),
            silences: Arc::default(),
        }
    }

    /// Reads a list to its end, or to the bound that it has.
    pub(super) async fn list(&self, list: &List) -> Listed {
        // A list keeps its place until its end: finishing one is worth more than beginning another,
        // and the server's view that a `continue` token stands for grows old.
        let _place = self.requests.acquire().await;
        let mut listed = Listed::default();
        let mut parsing = None;
        let mut token: Option<String> = None;
        let mut page_size = list.page_size;
        let mut restarted = false;
        for _ in 0..list.pages {
            let answer = self.page(list, page_size, token.as_deref()).await;
            listed.take_in(parsing.take()).await;
            match answer {
                Ok(body) => {
                    let next = page::next(&body);
                    page_size = next_size(page_size, list.largest_page, body.len());
                    parsing = Some(self.parse(body, list.parse.clone()));
                    listed.more = next.is_some();
                    if next.is_none() || next == token {
                        break;
                    }
                    token = next;
                }
                Err(error) if error.status() == Some(410) && token.is_some() && !restarted => {
                    (restarted, token, listed) = (true, None, Listed::default());
                }
                Err(error) => {
                    listed.failure = Some(error);
                    break;
                }
            }
        }
        listed.take_in(parsing).await;
        listed
    }

    async fn page(&self, list: &List, page_size: u32, token: Option<&str>) -> Result<Vec<u8>, ReadError> {
        // When as many questions as we ask at once were met with silence one after the other, the
        // server is gone: the rest would each wait out the time-out again.
        if self.silences.load(Ordering::Relaxed) >= IN_FLIGHT {
            return Err(ReadError::Connection(Fault::Unreachable("the API server stopped answering".to_owned())));
        }
        let limit = (page_size > 0).then(|| format!("limit={page_size}"));
        let selector = Some(list.query.to_owned()).filter(|query| !query.is_empty());
        let token = token.map(|token| format!("continue={}", encode(token)));
        let query: Vec<String> = [limit, selector, token].into_iter().flatten().collect();
        let path = if query.is_empty() { list.path() } else { format!("{}?{}", list.path(), query.join("&")) };
        let answer = self.client.ask(&path, list.accept, list.patience).await;
        match &answer {
            Err(error) if error.is_silence() => _ = self.silences.fetch_add(1, Ordering::Relaxed),
            _ => self.silences.store(0, Ordering::Relaxed),
        }
        answer
    }

    /// Parses and redacts on another thread, as many pages at once as there are cores.
    fn parse(&self, body: Vec<u8>, parse: Parse) -> JoinHandle<Result<Objects, ReadError>> {
        let (cores, redactor, client) = (self.cores.clone(), self.redactor.clone(), self.client.clone());
        tokio::spawn(async move {
            let _core = cores.acquire_owned().await;
            let read = move || {
                let parsed = parse(&body);
                client.give_back(body);
                let mut objects = parsed.map_err(|error| ReadError::Unreadable(error.to_string()))?;
                redactor.objects(&mut objects);
                Ok(objects)
            };
            tokio::task::spawn_blocking(read)
                .await
                .unwrap_or_else(|error| Err(ReadError::Unreadable(error.to_string())))
        })
    }

    /// Parses one answer that is no page of a list.
    pub(super) async fn read(&self, body: Vec<u8>, parse: &Parse) -> Result<Objects, ReadError> {
        self.parse(body, parse.clone()).await.unwrap_or_else(|error| Err(ReadError::Unreadable(error.to_string())))
    }

    /// A message of the server's, fit to be kept.
    pub(super) fn reason(&self, error: &ReadError) -> String {
        self.redactor.text(&error.to_string()).into_owned()
    }
}

/// How many objects the next page shall have, where one of `size` objects had this many bytes.
fn next_size(size: u32, largest: u32, bytes: usize) -> u32 {
    if bytes > LARGE_PAGE {
        (size / 2).max(size.min(SMALLEST_PAGE))
    } else if bytes < SMALL_PAGE {
        size.saturating_mul(2).min(largest.max(size))
    } else {
        size
    }
}

impl Listed {
    async fn take_in(&mut self, page: Option<JoinHandle<Result<Objects, ReadError>>>) {
        let Some(page) = page else { return };
        match page.await.unwrap_or_else(|error| Err(ReadError::Unreadable(error.to_string()))) {
            Ok(objects) => self.objects.append(objects),
            Err(error) => self.failure = Some(error),
        }
    }
}

/// A query value, encoded.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::next_size;

    #[test]
    fn pages_follow_the_size_of_their_objects() {
        assert_eq!(next_size(500, 500, 4 << 20), 500);
        assert_eq!(next_size(100, 500, 1 << 10), 200, "small objects, fewer round trips");
        assert_eq!(next_size(400, 500, 1 << 10), 500);
        assert_eq!(next_size(500, 500, 9 << 20), 250);
        assert_eq!(next_size(12, 500, 9 << 20), 10);
        assert_eq!(next_size(4, 4, 9 << 20), 4, "as small as was asked for");
        assert_eq!(next_size(0, 0, 1 << 10), 0, "no pages");
    }
}
