//! [`Environment`]: the variables of an image, a piece of a list that many images may share.

use super::StrId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// The environment of an image, one string per variable. A dictionary that was read has one list for the images of each
/// frame: tens of thousands of small ones would be made by one thread and, most of them, dropped by another.
#[derive(Clone, Default)]
pub struct Environment {
    all: Arc<[StrId]>,
    start: u32,
    length: u32,
}

impl Environment {
    /// A range of a list; empty where the list does not have it.
    pub fn part(all: &Arc<[StrId]>, range: Range<u32>) -> Environment {
        if all.get(range.start as usize..range.end as usize).is_none_or(<[StrId]>::is_empty) {
            return Environment::default();
        }
        Environment { all: Arc::clone(all), start: range.start, length: range.end - range.start }
    }
}

impl Deref for Environment {
    type Target = [StrId];

    fn deref(&self) -> &[StrId] {
        self.all.get(self.start as usize..(self.start + self.length) as usize).unwrap_or_default()
    }
}

impl FromIterator<StrId> for Environment {
    fn from_iter<I: IntoIterator<Item = StrId>>(variables: I) -> Environment {
        let all: Arc<[StrId]> = variables.into_iter().collect();
        Environment::part(&all, 0..all.len() as u32)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for Environment {
    fn eq(&self, other: &Environment) -> bool {
        **self == **other
    }
}

impl Eq for Environment {}

impl Hash for Environment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Environment, D::Error> {
        Vec::deserialize(deserializer).map(Environment::from_iter)
    }
}
