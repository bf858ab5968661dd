//! The one integration binary: what must hold of the whole, and the command line as a user meets it.

mod architecture;
mod cli;
mod docs;
mod folding;
mod hostile;
mod krew;
mod support;
