//! `kubectl logs`: the last lines with equal ones counted, or what a pattern finds in all of them.
//!
//! Time stamps are always asked for, so that it can be said from when to when the lines are; they are shown where
//! `--timestamps` asks for them. *Invariant:* no log is held: lines are dropped as they come.

mod choose;
mod group;

use choose::Stream;
use group::Collector;
pub(super) use group::pattern;

use super::error::ServeError;
use super::filter::Grep;
use super::source::{LogQuery, Source};
use super::value::{count, seconds};
use super::{Answer, Server};
use crate::kubectl::Line;
use crate::model::Time;

/// Lines of a log where nothing else is said.
const TAIL: u64 = 200;
/// Lines of each of several logs.
const TAIL_OF_SEVERAL: u64 = 50;

pub(super) async fn logs(server: &Server, line: &Line, grep: Option<&Grep>) -> Result<Answer, ServeError> {
    let mut answer = Answer { prose: true, searched: true, ..Answer::default() };
    let streams = choose::streams(server, line, &mut answer).await?;
    if streams.is_empty() {
        answer.text = Server::nothing(
            &[super::source::Type { namespaced: true, ..Default::default() }],
            Some(server.own_namespace(line)),
        );
        return Ok(answer);
    }
    let query = query(line, grep, streams.len())?;
    let several = streams.len() > 1;
    let mut failures = Vec::new();
    for stream in &streams {
        let prefix = if several || line.has("prefix") {
            format!("[pod/{}/{}] ", stream.pod, stream.container)
        } else {
            String::new()
        };
        let mut lines = Collector::new(grep, query.tail);
        let cut = match read(server, stream, &query, &mut lines).await {
            Ok(cut) => cut,
            Err(error) if several => {
                failures.push(format!("{prefix}error: {error}\n"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let shown = lines.finish(line.has("timestamps"));
        answer.notes.push(
            prefix.trim_end().to_owned() + if several { " " } else { "" } + &said(&lines, shown.len(), &query, grep),
        );
        if cut {
            answer.notes.push("the log is longer than was read: narrow with --since or --tail".to_owned());
        }
        if stream.restarts > 0 && !query.previous && !several {
            let times = stream.restarts;
            answer.notes.push(format!("the container was restarted {times} times: --previous shows the run before"));
        }
        for line in shown {
            answer.text.push_str(&prefix);
            answer.text.push_str(&line);
            answer.text.push('\n');
        }
    }
    answer.text.push_str(&failures.concat());
    if matches!(server.source, Source::Saved(_)) {
        answer.notes.push("saved lines: a snapshot holds the last ones only, without time stamps".to_owned());
    }
    Ok(answer)
}

fn query(line: &Line, grep: Option<&Grep>, streams: usize) -> Result<LogQuery, ServeError> {
    let since = line.flag("since").map(|since| seconds(since).ok_or_else(|| ServeError::bad("`--since`", since)));
    let since_seconds = since.transpose()?.map(|seconds| seconds.max(1));
    let since_time = line.flag("since-time").map(|time| match time.parse::<Time>() {
        Ok(time) => Ok(time.to_string()),
        Err(_) => Err(ServeError::bad("`--since-time`", "write it as `2026-11-26T10:00:00Z`")),
    });
    let since_time = since_time.transpose()?;
    // A negative number means all of them, as does a search.
    let given = line.flag("tail").map(|tail| tail.parse::<u64>().ok());
    let bounded = since_seconds.is_some() || since_time.is_some() || line.has("limit-bytes") || grep.is_some();
    let tail = match given {
        Some(tail) => tail,
        None if bounded => None,
        None if streams > 1 => Some(TAIL_OF_SEVERAL),
        None => Some(TAIL),
    };
    let limit_bytes = line.flag("limit-bytes").and_then(|bytes| bytes.parse().ok());
    Ok(LogQuery { previous: line.has("previous"), tail, since_seconds, since_time, limit_bytes })
}

/// Reads one log; tells whether it was cut.
async fn read(
    server: &Server,
    stream: &Stream,
    query: &LogQuery,
    lines: &mut Collector<'_>,
) -> Result<bool, ServeError> {
    let pod = (stream.namespace.as_str(), stream.pod.as_str());
    match &server.source {
        Source::Live(live) => {
            let read = live.log(pod, &stream.container, query, |time, line| lines.push(time, line)).await?;
            Ok(read.cut)
        }
        Source::Saved(saved) => {
            let log = saved.log(pod, &stream.container, query.previous)?;
            let skip = query.tail.and_then(|tail| usize::try_from(tail).ok()).unwrap_or(usize::MAX);
            for line in log.lines.iter().skip(log.lines.len().saturating_sub(skip)) {
                lines.push(None, line.clone());
            }
            Ok(false)
        }
    }
}

/// What is said of the lines: how many, from when to when, and how to see others.
fn said(lines: &Collector<'_>, shown: usize, query: &LogQuery, grep: Option<&Grep>) -> String {
    let range = lines.range.map(|(from, to)| format!(", {} UTC", group::span(from, to))).unwrap_or_default();
    let left = |instead: &str| match lines.ungrouped {
        0 => String::new(),
        left => format!("; {} more are not shown: {instead}", count(left)),
    };
    if grep.is_some() {
        let left = left("narrow the pattern");
        return format!("{} of {} lines match{range}{left}", count(lines.found), count(lines.total));
    }
    if lines.total == 0 {
        return "the log is empty".to_owned();
    }
    let all = query.tail.is_none()
        || u64::try_from(lines.total).is_ok_and(|total| query.tail.is_some_and(|tail| total < tail));
    let what = if all { count(lines.total) + " lines" } else { format!("the last {} lines", count(lines.total)) };
    let grouped = if shown < lines.total { format!(" as {}", count(shown)) } else { String::new() };
    let more = if all { "" } else { "; --tail=N or --since=10m shows more, grep searches all of it" };
    let left = left("grep searches all of them");
    format!("{what}{grouped}{range}{left}{more}")
}
