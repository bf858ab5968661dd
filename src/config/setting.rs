//! A value that knows where it comes from, and a secret that is nowhere but there.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing was said.
    Default,
    /// The config file.
    File(PathBuf),
    /// An environment variable.
    Env(&'static str),
    /// The command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("the default"),
            Origin::File(path) => write!(f, "`{}`", path.display()),
            Origin::Env(name) => f.write_str(name),
            Origin::Flag(name) => write!(f, "`{name}`"),
        }
    }
}

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Where a secret is to be had; its value is read when it is needed and never kept in settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The environment variable that holds it.
    pub env: Setting<Option<String>>,
    /// The file that holds it.
    pub file: Setting<Option<String>>,
}

impl Secret {
    /// Its value; `None` where nothing says where it is, or the variable is not set.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(&self) -> io::Result<Option<String>> {
        if let Some(path) = &*self.file {
            return fs::read_to_string(path).map(|text| Some(text.trim().to_owned()));
        }
        Ok(self.env.as_ref().and_then(|name| std::env::var(name).ok()).filter(|value| !value.is_empty()))
    }
}
