//! A table of markdown: cells in columns, as kubectl prints its own.
//!
//! *Invariant:* a row is one line and is not wrapped.

use super::Paint;
use super::lines::{Piece, flat};

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
    pub(super) fn lines(self, paint: Paint) -> Vec<String> {
        let rows: Vec<Vec<(String, usize)>> =
            self.0.iter().map(|row| row.iter().map(|cell| flat(cell, paint)).collect()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.1).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |(at, row): (usize, &Vec<(String, usize)>)| {
            let mut line = String::new();
            for ((text, used), width) in row.iter().zip(&widths) {
                line.push_str(&if at == 0 { paint.bold(text) } else { text.clone() });
                line.push_str(&" ".repeat(width - used + 2));
            }
            line.trim_end().to_owned()
        };
        rows.iter().enumerate().map(line).collect()
    }
}
