//! A table of markdown: cells in columns, as kubectl prints its own; where these are wider than the room, a line for each
//! cell.
//!
//! *Invariant:* a row in columns is one line and is not wrapped; no line is wider than the room but for a word that must not
//! be torn.

use super::lines::{Piece, flat, painted, wrapped};
use super::{Marks, Paint};

/// What stands between two columns.
const GAP: usize = 2;

/// The rows so far; the first one is the head.
#[derive(Default)]
pub(super) struct Table(Vec<Vec<Vec<Piece>>>);

impl Table {
    pub(super) fn row(&mut self) {
        self.0.push(Vec::new());
    }

    pub(super) fn cell(&mut self, cell: Vec<Piece>) {
        if let Some(row) = self.0.last_mut() {
            row.push(cell);
        }
    }

    /// Its lines.
    pub(super) fn lines(self, paint: Paint, room: usize) -> Vec<String> {
        let rows: Vec<Vec<(String, usize)>> =
            self.0.iter().map(|row| row.iter().map(|cell| flat(cell, paint)).collect()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.1).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        if widths.iter().sum::<usize>() + GAP * columns.saturating_sub(1) > room {
            return self.apart(paint, room);
        }
        let line = |(at, row): (usize, &Vec<(String, usize)>)| {
            let mut line = String::new();
            for ((text, used), width) in row.iter().zip(&widths) {
                line.push_str(&if at == 0 { paint.bold(text) } else { text.clone() });
                line.push_str(&" ".repeat(width - used + GAP));
            }
            line.trim_end().to_owned()
        };
        rows.iter().enumerate().map(line).collect()
    }

    /// Each cell as `head: cell`, and a blank line between rows.
    fn apart(self, paint: Paint, room: usize) -> Vec<String> {
        let mut rows = self.0.into_iter();
        let heads: Vec<Vec<Piece>> = rows.next().unwrap_or_default().into_iter().map(strong).collect();
        if rows.len() == 0 {
            return heads.into_iter().flat_map(|head| hanging(head, paint, room)).collect();
        }
        let mut lines = Vec::new();
        for row in rows {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            for (head, cell) in heads.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
                let colon = (!head.is_empty()).then(|| Piece::new(": ", Marks::default()));
                lines.extend(hanging(head.iter().cloned().chain(colon).chain(cell).collect(), paint, room));
            }
        }
        lines
    }
}

fn strong(head: Vec<Piece>) -> Vec<Piece> {
    head.into_iter().map(|piece| Piece { marks: Marks { strong: true, ..piece.marks }, ..piece }).collect()
}

/// Lines of which all but the first are set in.
fn hanging(pieces: Vec<Piece>, paint: Paint, room: usize) -> Vec<String> {
    let lines = wrapped(pieces, room.saturating_sub(GAP));
    let line =
        |(at, line): (usize, &Vec<Vec<Piece>>)| format!("{}{}", if at == 0 { "" } else { "  " }, painted(line, paint));
    lines.iter().enumerate().map(line).collect()
}
