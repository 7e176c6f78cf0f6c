//! [`Images`]: the images of a dictionary frame, whose environments are pieces of one list.

use crate::world::{Environment, ImageRow, StrId};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Fields of an image as it is stored: exe, exepath, args, environment.
const FIELDS: usize = 4;

/// The images of a dictionary frame: the same bytes as a `Vec<ImageRow>`.
pub(super) struct Images(pub(super) Vec<ImageRow>);

impl<'de> Deserialize<'de> for Images {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Images, D::Error> {
        deserializer.deserialize_seq(All)
    }
}

struct All;

impl<'de> Visitor<'de> for All {
    type Value = Images;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("images")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Images, A::Error> {
        let (mut rows, mut variables) = (Vec::new(), Vec::new());
        while let Some(row) = seq.next_element_seed(One(&mut variables))? {
            rows.push(row);
        }
        let all: Arc<[StrId]> = variables.into();
        let whole = |(row, env)| ImageRow { env: Environment::part(&all, env), ..row };
        Ok(Images(rows.into_iter().map(whole).collect()))
    }
}

/// An image without its environment, and where that stands among the variables.
struct One<'a>(&'a mut Vec<StrId>);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = (ImageRow, Range<u32>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_tuple(FIELDS, self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = (ImageRow, Range<u32>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an image")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut text = |field| seq.next_element()?.ok_or_else(|| A::Error::invalid_length(field, &"an image"));
        let (exe, exepath, args) = (text(0)?, text(1)?, text(2)?);
        let start = self.0.len() as u32;
        seq.next_element_seed(Variables(self.0))?.ok_or_else(|| A::Error::invalid_length(3, &"an image"))?;
        Ok((ImageRow { exe, exepath, args, ..ImageRow::default() }, start..self.0.len() as u32))
    }
}

/// The variables of one image, behind those of the images before.
struct Variables<'a>(&'a mut Vec<StrId>);

impl<'de> DeserializeSeed<'de> for Variables<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Variables<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("variables")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(variable) = seq.next_element()? {
            self.0.push(variable);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_those_that_were_stored() {
        let image = |n: u32| ImageRow {
            exe: StrId(n),
            exepath: StrId(n + 1),
            args: StrId(n + 2),
            env: (0..n % 5).map(|i| StrId(1000 * n + i)).collect(),
            ..ImageRow::default()
        };
        let images: Vec<ImageRow> = (0..50).map(image).collect();
        let mut stored = postcard::to_stdvec(&images).unwrap();
        stored.push(7);
        let (read, rest) = postcard::take_from_bytes::<Images>(&stored).unwrap();
        assert_eq!((read.0, rest), (images, &[7][..]));
        assert!((0..stored.len() - 1).all(|end| postcard::from_bytes::<Images>(&stored[..end]).is_err()));
    }
}
