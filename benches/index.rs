//! What an index of many runbooks costs: to make, to bring up to date, to ask, in memory and on disk.
//!
//! ```sh
//! cargo bench --bench index                     # 500 runbooks without a model
//! cargo bench --bench index -- 10000            # so many
//! REACT_TEST_MODEL=DIR cargo bench --bench index -- 500     # with the real model: its own speed is the yardstick
//! REACT_TEST_CHROMA=URL cargo bench --bench index -- 500    # on a ChromaDB server too
//! ```
//!
//! The cold query is a process of its own: it opens the file, reads the terms of a query and the cosine of every chunk.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kubectl_react::model::runbook::{AppliesTo, Automation, FrontMatter, RootCause, Section, Signature, Status};
use kubectl_react::model::{Library, Place, Runbook, Severity};
use kubectl_react::retrieve::embed::{Expect, Local, unit};
use kubectl_react::retrieve::index::{Chroma, ChromaSettings, Deriver, Embedded};
use kubectl_react::retrieve::{Chunk, Derived, EmbedError, Embedder, ModelId, Shelf, Terms};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SECTIONS: usize = 6;
/// Words of a section: with the title about 120 tokens.
const WORDS: usize = 75;
/// Words of a query that is built from a cause.
const QUERY: usize = 40;
const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [flag, path, number] = arguments.as_slice()
        && flag == "--query"
    {
        return cold_query(Path::new(path), number.parse().unwrap());
    }
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![500];
    }
    for number in sizes {
        measure(number);
    }
}

fn measure(number: usize) {
    let embedder = embedder();
    let folder = env::temp_dir().join(format!("kubectl-react-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("index.sqlite");
    let mut places: Vec<Place> = (0..number).map(|n| place(n, 0)).collect();
    println!("{number} runbooks, {} chunks, {}", number * (SECTIONS + 1), embedder.id().name);

    let speed = speed(embedder.as_ref());
    row("the model alone, texts in a second", format!("{speed:.0}"));
    let index = Embedded::open(&path, DERIVER).unwrap();
    let start = Instant::now();
    let report = index.sync(&places, &mut load, None, &mut |_| {}).unwrap();
    assert_eq!(report.added, number);
    row("read, derive terms and chunks, write", seconds(start.elapsed()));
    let begin = Instant::now();
    let report = index.sync(&places, &mut load, Some(embedder.as_ref()), &mut |_| {}).unwrap();
    assert_eq!((report.embedded, report.without_vectors), (number, 0));
    row("embed and write", seconds(begin.elapsed()));
    let alone = (number * (SECTIONS + 1)) as f64 / speed;
    row("all of it, against the model alone", format!("{:.2}", start.elapsed().as_secs_f64() / alone));

    let start = Instant::now();
    index.sync(&places, &mut load, Some(embedder.as_ref()), &mut |_| {}).unwrap();
    row("again, with nothing changed", milliseconds(start.elapsed()));
    places[number / 2] = place(number / 2, 1);
    let start = Instant::now();
    let report = index.sync(&places, &mut load, Some(embedder.as_ref()), &mut |_| {}).unwrap();
    assert_eq!((report.added, report.embedded), (1, 1));
    row("again, with one file changed", milliseconds(start.elapsed()));
    places[number / 2] = place(number / 2, 0);
    drop(index);
    row("the file", format!("{:.1} MB", fs::metadata(&path).unwrap().len() as f64 / 1e6));

    let runs: Vec<String> = (0..RUNS).map(|_| query_process(&path, number)).collect();
    let mut walls: Vec<(f64, &str)> =
        runs.iter().map(|run| (run.split_whitespace().next().unwrap().parse().unwrap(), run.as_str())).collect();
    walls.sort_by(|a, b| a.0.total_cmp(&b.0));
    let words: Vec<&str> = walls[RUNS / 2].1.split_whitespace().collect();
    row("cold query, without the model", format!("{} ms", words[0]));
    row("  of that: documents, postings, cosines", format!("{} + {} + {} ms", words[1], words[2], words[3]));
    row("its peak memory", format!("{} MB", words[4]));
    if let Ok(url) = env::var("REACT_TEST_CHROMA") {
        measure_chroma(&url, &folder, embedder.as_ref(), &mut places);
    }
    fs::remove_dir_all(&folder).unwrap();
}

fn measure_chroma(url: &str, folder: &Path, embedder: &dyn Embedder, places: &mut [Place]) {
    let settings = ChromaSettings {
        database: format!("bench-{}-{}", std::process::id(), places.len()),
        ..ChromaSettings::new(url)
    };
    // The vectors are in the file: what is measured is Chroma, not the model.
    let index = Embedded::open(&folder.join("index.sqlite"), DERIVER).unwrap();
    let chroma = Chroma::connect(&settings, embedder.id()).unwrap();
    let start = Instant::now();
    let report = chroma.sync(&index, places, embedder, &mut |_| {}).unwrap();
    assert_eq!((report.added, report.embedded), (places.len(), 0));
    row("Chroma: send all vectors", seconds(start.elapsed()));
    let start = Instant::now();
    chroma.sync(&index, places, embedder, &mut |_| {}).unwrap();
    row("Chroma: again, with nothing changed", milliseconds(start.elapsed()));
    let changed = places.len() / 2;
    places[changed] = place(changed, 2);
    let start = Instant::now();
    index.sync(places, &mut load, None, &mut |_| {}).unwrap();
    let report = chroma.sync(&index, places, embedder, &mut |_| {}).unwrap();
    assert_eq!(report.added, 1);
    row("Chroma: again, with one file changed", milliseconds(start.elapsed()));
    let query = query_vector(embedder.id().dimensions);
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let chroma = Chroma::connect(&settings, embedder.id()).unwrap();
            let shelf = chroma.shelf(&index, places).unwrap();
            assert!(!shelf.nearest(&query, 50).unwrap().is_empty());
            start.elapsed()
        })
        .collect();
    times.sort();
    row("Chroma: connect, documents, 50 candidates", milliseconds(times[RUNS / 2]));
}

/// Opens the file, asks, and says how long it took and how much memory.
fn cold_query(path: &Path, number: usize) {
    let places: Vec<Place> = (0..number).map(|n| place(n, 0)).collect();
    let model = embedder_id();
    let query = query_vector(model.dimensions);
    let terms: Vec<String> = words(7).take(QUERY).collect();
    let start = Instant::now();
    let index = Embedded::open(path, DERIVER).unwrap();
    let shelf = index.shelf(&places, Some(&model)).unwrap();
    let opened = start.elapsed();
    let begin = Instant::now();
    let postings = shelf.postings(&terms).unwrap();
    let found = begin.elapsed();
    let begin = Instant::now();
    let near = shelf.nearest(&query, 50).unwrap();
    let compared = begin.elapsed();
    let all = start.elapsed();
    assert_eq!((shelf.documents().len(), near.len()), (number, number * (SECTIONS + 1)));
    assert!(postings.iter().map(Vec::len).sum::<usize>() > 0);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse::<u64>().ok());
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    println!("{} {} {} {} {}", ms(all), ms(opened), ms(found), ms(compared), peak.unwrap_or(0) / 1024);
}

fn query_process(path: &Path, number: usize) -> String {
    let own = env::current_exe().unwrap();
    let output = Command::new(own).args(["--query", path.to_str().unwrap(), &number.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Texts in a second, as long and as many at once as the index has them.
fn speed(embedder: &dyn Embedder) -> f64 {
    let chunks: Vec<Chunk> = (0..37).flat_map(|n| derive(&load(&place(n, 9)).unwrap()).chunks).take(256).collect();
    let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    embedder.embed(&texts[..32]).unwrap();
    let start = Instant::now();
    embedder.embed(&texts).unwrap();
    texts.len() as f64 / start.elapsed().as_secs_f64()
}

fn model_folder() -> Option<PathBuf> {
    env::var_os("REACT_TEST_MODEL").map(PathBuf::from)
}

fn embedder() -> Box<dyn Embedder> {
    match model_folder() {
        Some(folder) => Box::new(Local::open(&folder, Expect::Default).unwrap()),
        None => Box::new(Chance(embedder_id())),
    }
}

fn embedder_id() -> ModelId {
    match model_folder() {
        Some(folder) => Local::open(&folder, Expect::Default).unwrap().id().clone(),
        None => ModelId { name: "no model".to_owned(), digest: "0".repeat(64), dimensions: 384 },
    }
}

/// Vectors without a meaning.
struct Chance(ModelId);

impl Embedder for Chance {
    fn id(&self) -> &ModelId {
        &self.0
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let seed = |text: &str| text.bytes().fold(1_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        Ok(texts.iter().map(|text| vector(seed(text), self.0.dimensions)).collect())
    }
}

fn vector(seed: u64, dimensions: usize) -> Vec<f32> {
    unit(numbers(seed).take(dimensions).map(|number| (number % 2001) as f32 / 1000.0 - 1.0).collect()).unwrap()
}

fn query_vector(dimensions: usize) -> Vec<f32> {
    vector(42, dimensions)
}

/// Numbers that look like chance.
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    let step =
        |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(step(&seed.wrapping_add(99)), step).map(|state| state >> 33)
}

/// Words of which some are frequent and most are not, as in any text.
fn words(seed: u64) -> impl Iterator<Item = String> {
    const COMMON: [&str; 24] = [
        "pod",
        "node",
        "kubectl",
        "get",
        "the",
        "and",
        "namespace",
        "container",
        "restart",
        "memory",
        "limit",
        "events",
        "check",
        "describe",
        "deployment",
        "service",
        "is",
        "of",
        "logs",
        "volume",
        "image",
        "network",
        "cluster",
        "if",
    ];
    numbers(seed).map(|number| {
        let rank = number % 1000;
        match COMMON.get(usize::try_from(rank % 48).unwrap()) {
            Some(word) => (*word).to_owned(),
            None => format!("term{}", rank * (number / 1000 % 9)),
        }
    })
}

fn place(number: usize, edition: usize) -> Place {
    Place {
        library: Library::Team,
        path: format!("runbooks/area-{}/fault-{number:05}.md", number % 20),
        commit: "0".repeat(40),
        blob: format!("{edition:08x}{number:032x}"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a sync takes")]
fn load(place: &Place) -> Option<Runbook> {
    let digits = |range| u64::from_str_radix(place.blob.get(range).unwrap(), 16).unwrap();
    let number = digits(8..40) * 10 + digits(0..8);
    let text = |seed: u64, words_: usize| words(seed).take(words_).collect::<Vec<_>>().join(" ");
    let section = |part: usize| Section {
        heading: format!("Part {part}"),
        level: 2,
        text: text(number * 7 + part as u64, WORDS),
        line: part * 20,
    };
    let front = FrontMatter {
        json_schema: None,
        schema: "runbook/v1".to_owned(),
        name: format!("fault-{number}"),
        title: text(number, 6),
        description: text(number + 1, 20),
        status: Status::Active,
        superseded_by: None,
        severity: Severity::Critical,
        root_cause: RootCause::Unknown,
        signature: Signature { kinds: vec!["Pod".to_owned()], ..Signature::default() },
        applies_to: AppliesTo::default(),
        automation: Automation::default(),
        params: BTreeMap::new(),
        owners: Vec::new(),
        reviewed: None,
        provenance: None,
        references: Vec::new(),
        tags: Vec::new(),
    };
    let sections = (1..=SECTIONS).map(section).collect();
    Some(Runbook { place: place.clone(), front, derived: false, sections, blocks: Vec::new(), manifests: Vec::new() })
}

const DERIVER: Deriver = Deriver { version: "bench", derive };

fn derive(runbook: &Runbook) -> Derived {
    let mut terms = Terms::default();
    for section in &runbook.sections {
        for word in section.text.split(' ') {
            *terms.counts.entry(word.to_owned()).or_default() += 1.0;
            terms.length += 1.0;
        }
    }
    let title = &runbook.front.title;
    let whole = Chunk { heading: String::new(), text: format!("{title}\n{}", runbook.front.description), line: 1 };
    let chunks = runbook.sections.iter().map(|section| Chunk {
        heading: section.heading.clone(),
        text: format!("{title}\n{}\n{}", section.heading, section.text),
        line: section.line,
    });
    Derived { terms, chunks: [whole].into_iter().chain(chunks).collect() }
}

fn row(what: &str, value: String) {
    println!("  {what:<44} {value}");
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
