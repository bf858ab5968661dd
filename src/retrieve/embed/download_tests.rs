//! Downloads from a server that gives what it is told.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;
use crate::retrieve::serving::{Asked, Reply, Server};
use crate::runbook::repo::hex;

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// What is published: 400 kB that hardly shrink.
fn content() -> Vec<u8> {
    let step = |state: u32| state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    std::iter::successors(Some(7_u32), |state| Some(step(*state)))
        .map(|state| (state >> 24) as u8)
        .take(400_000)
        .collect()
}

/// An archive with the content in it, and where.
fn archive() -> (Vec<u8>, Part) {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&content()).unwrap();
    let deflated = encoder.finish().unwrap();
    let part = Part { offset: 1000, length: deflated.len() as u64 };
    ([vec![b'x'; 1000], deflated, vec![b'y'; 5000]].concat(), part)
}

fn ranged(asked: &Asked, bytes: &[u8]) -> Reply {
    let Some(range) = asked.headers.get("range") else { return Reply::of(200, bytes) };
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let range: std::ops::RangeInclusive<usize> = first.parse().unwrap()..=last.parse().unwrap();
    Reply::of(206, &bytes[range])
}

/// Downloads, and gives the file or what is wrong, and the last of the progress.
fn download(server: &Server, part: Option<Part>, sha256: String) -> (Result<Vec<u8>, String>, (u64, u64)) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let url = Url::parse(&format!("{}/files/a.whl", server.url())).unwrap();
    let http = Http::for_downloads(&url).unwrap();
    let mut last = (0, 0);
    let end = Download { url, part, sha256, file: file.clone() }.run(&http, &mut |done, total| last = (done, total));
    (end.map(|()| fs::read(file).unwrap()), last)
}

#[test]
fn a_part_is_fetched_by_its_place_or_cut_out_of_the_whole() {
    let (archive, part) = archive();
    for ranges in [true, false] {
        let bytes = archive.clone();
        let server = Server::start(move |asked| if ranges { ranged(asked, &bytes) } else { Reply::of(200, &*bytes) });
        let (file, progress) = download(&server, Some(part), sha256(&content()));
        assert_eq!(file.unwrap(), content());
        assert_eq!(progress, (part.length, part.length));
        assert_eq!(server.asked()[0].headers["range"], format!("bytes=1000-{}", 999 + part.length));
    }
}

#[test]
fn a_whole_file_is_fetched_and_reported() {
    let server = Server::start(|asked| ranged(asked, &content()));
    let (file, progress) = download(&server, None, sha256(&content()));
    assert_eq!(file.unwrap(), content());
    assert_eq!(progress, (400_000, 400_000));
}

#[test]
fn what_is_not_what_was_published_is_an_error() {
    type Answer = Box<dyn FnMut(&Asked) -> Reply + Send>;
    let (archive, part) = archive();
    let published = sha256(&content());
    let cases: Vec<(&str, Option<Part>, Answer, &str)> = vec![
        ("other bytes", None, Box::new(|_| Reply::of(200, "other")), "its SHA-256 is"),
        ("nothing", None, Box::new(|_| Reply::of(200, "")), "its SHA-256 is e3b0c442"),
        ("an error page", None, Box::new(|_| Reply::of(404, "no")), "status 404"),
        ("a part that was not asked for", None, Box::new(|_| Reply::of(206, content())), "status 206"),
        ("an archive of garbage", Some(part), Box::new(|_| Reply::of(200, vec![0xff; 900_000])), ""),
        (
            "half an archive",
            Some(part),
            {
                let half = archive[..9000].to_vec();
                Box::new(move |_| Reply::of(200, &*half))
            },
            "",
        ),
        ("a short part", Some(part), Box::new(|_| Reply::of(206, "abc")), ""),
    ];
    for (name, part, answer, message) in cases {
        let server = Server::start(answer);
        let error = download(&server, part, published.clone()).0.unwrap_err();
        assert!(error.contains(message), "{name}: {error}");
    }
}

#[test]
fn a_bomb_is_cut_off() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    for _ in 0..1100 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let part = Part { offset: 0, length: bomb.len() as u64 };
    let server = Server::start(move |_| Reply::of(206, &*bomb));
    assert!(download(&server, Some(part), String::new()).0.unwrap_err().contains("it does not end"));
}

#[test]
fn the_page_of_a_project_leads_to_its_file_through_redirects() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/simple/a/" => Reply::of(301, "").with("location", "/mirror/a/"),
        "/mirror/a/" => Reply::of(200, "<a href='../files/a-1.whl#sha256=0'>a-1.whl</a>"),
        _ => Reply::of(404, ""),
    });
    let page = Url::parse(&format!("{}/simple/a/", server.url())).unwrap();
    let http = Http::for_downloads(&page).unwrap();
    let found = package(&http, page.clone(), "a-1.whl").unwrap();
    assert_eq!(found.as_str(), format!("{}/mirror/files/a-1.whl", server.url()));
    assert_eq!(package(&http, page.clone(), "b-1.whl").unwrap_err(), "it has no `b-1.whl`");
    assert_eq!(package(&http, page.join("../b/").unwrap(), "b-1.whl").unwrap_err(), "status 404");
}

#[test]
fn a_file_is_found_on_the_page_of_its_project() {
    let json = r#"{"files": [{"filename": "a-1.whl", "url": "https://f.example/1/a-1.whl"},
        {"filename": "a-2.whl", "url": "../../f/a-2.whl", "hashes": {}}]}"#;
    let html = r#"<html><a href="https://f.example/a-1.whl#sha256=00">a-1.whl</a><br>
        <a data-x='1' href='/f/a-2.whl?x=1&amp;y#sha256=11'>a-2.whl</a> <a href=a-3.whl>a-3.whl</a>"#;
    let cases = [
        (json, "a-1.whl", Some("https://f.example/1/a-1.whl")),
        (json, "a-2.whl", Some("../../f/a-2.whl")),
        (json, "a-3.whl", None),
        (html, "a-1.whl", Some("https://f.example/a-1.whl")),
        (html, "a-2.whl", Some("/f/a-2.whl")),
        (html, "a-3.whl", None),
        ("", "a-1.whl", None),
        ("href=\"", "a-1.whl", None),
    ];
    for (page, file, found) in cases {
        assert_eq!(link(page, file).as_deref(), found, "{file} in {page}");
    }
}
