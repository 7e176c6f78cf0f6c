//! [`Used`]: which texts of a segment something refers to.

use super::dict::{Delta, StrId};

/// Which texts of a segment's dictionary something refers to.
#[derive(Debug, Default)]
pub struct Used {
    own: Vec<bool>,
    apart: Vec<bool>,
}

impl Used {
    /// Something refers to a text.
    pub fn add(&mut self, id: StrId) {
        let (texts, place) = match id.apart() {
            Some(place) => (&mut self.apart, place as usize),
            None => (&mut self.own, id.0 as usize),
        };
        if texts.len() <= place {
            texts.resize(place + 1, false);
        }
        texts[place] = true;
    }

    /// All that rows of the dictionary refer to.
    pub fn add_rows(&mut self, rows: &Delta) {
        let mut all = |ids: &[StrId]| ids.iter().for_each(|&id| self.add(id));
        for image in &rows.images {
            all(&[image.exe, image.exepath, image.args]);
            all(&image.env);
        }
        rows.threads.iter().for_each(|thread| all(&[thread.comm, thread.cwd, thread.root, thread.cgroup]));
        rows.descs.iter().for_each(|desc| all(&[desc.name]));
        rows.users.iter().chain(&rows.groups).for_each(|&(_, name)| all(&[name]));
        rows.accounts.iter().for_each(|(_, account)| all(&[account.home, account.shell]));
    }

    /// Empties the texts to which nothing refers; the others keep their ids. Says whether there were such.
    pub fn empty_others(&self, rows: &mut Delta) -> bool {
        let own = empty(&self.own, rows.first_string, &mut rows.string_lengths, &mut rows.string_bytes);
        let apart = empty(&self.apart, rows.first_apart, &mut rows.apart_lengths, &mut rows.apart_bytes);
        own | apart
    }
}

fn empty(used: &[bool], first: u32, lengths: &mut [u32], bytes: &mut Vec<u8>) -> bool {
    let (mut kept, mut start, before) = (Vec::with_capacity(bytes.len()), 0, bytes.len());
    for (place, length) in (first as usize..).zip(lengths) {
        let end = start + *length as usize;
        if used.get(place).copied().unwrap_or(false) {
            kept.extend_from_slice(bytes.get(start..end).unwrap_or_default());
        } else {
            *length = 0;
        }
        start = end;
    }
    *bytes = kept;
    bytes.len() < before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Dict, Interner, ThreadRow};

    #[test]
    fn a_text_that_nothing_refers_to_is_emptied_and_the_others_keep_their_ids() {
        let mut interner = Interner::new();
        let [sh, alice, pods] = [b"sh".as_slice(), b"alice", b"pods"].map(|text| interner.text(text));
        let [gone, left] = [b"/gone".as_slice(), b"/left"].map(|text| interner.text_apart(text));
        let mut delta = interner.take_delta();
        delta.first_thread = 1;
        delta.threads.push(ThreadRow { comm: sh, ..ThreadRow::default() });
        let mut used = Used::default();
        used.add_rows(&delta);
        used.add(pods);
        used.add(left);
        assert!(used.empty_others(&mut delta));
        assert!(!used.empty_others(&mut delta), "nothing more to empty");
        let mut dict = Dict::new();
        dict.append(delta).unwrap();
        assert_eq!([sh, alice, pods, gone, left].map(|id| dict.text(id)), [&b"sh"[..], b"", b"pods", b"", b"/left"]);
    }
}
