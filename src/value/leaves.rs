//! [`json_leaves`]: a JSON value as paths and what stands at their ends.

use super::json::{json_items, json_member, json_text, json_unescape};

/// Leaves that are told at most, and how deep they may be: bodies may be made to hurt.
const MOST: usize = 20_000;
const MAX_DEPTH: usize = 64;

/// Paths (`spec.containers[web].image`) and values, in the order in which they stand. What is in an array is told by its `name`, where
/// all of it has one, so that another place is no change; else by its number. Empty objects and arrays are leaves.
pub fn json_leaves(value: &[u8]) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    walk(value, String::new(), 0, &mut leaves);
    leaves
}

fn walk(value: &[u8], path: String, depth: usize, leaves: &mut Vec<(String, String)>) {
    if leaves.len() >= MOST {
        return;
    }
    let is_array = value.first() == Some(&b'[');
    let is_object = value.first() == Some(&b'{');
    if depth >= MAX_DEPTH || !(is_array || is_object) || json_items(value).next().is_none() {
        leaves.push((path, String::from_utf8_lossy(&json_text(value)).into_owned()));
        return;
    }
    let name_of = |item: &[u8]| {
        let name = json_member(item, b"name").filter(|name| name.first() == Some(&b'"'))?;
        Some(String::from_utf8_lossy(&json_text(name)).into_owned())
    };
    let names: Option<Vec<String>> =
        if is_array { json_items(value).map(|item| name_of(item.value)).collect() } else { None };
    let is_apart = names.as_ref().is_some_and(|names| {
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.windows(2).all(|two| two[0] != two[1])
    });
    for (place, item) in json_items(value).enumerate() {
        let step = match names.as_ref().filter(|_| is_apart).and_then(|names| names.get(place)) {
            Some(name) => format!("[{name}]"),
            None if is_array => format!("[{place}]"),
            None => {
                let key = String::from_utf8_lossy(&json_unescape(item.key)).into_owned();
                // Keys of labels and annotations have dots of their own.
                if key.contains('.') {
                    format!("[{key}]")
                } else if path.is_empty() {
                    key
                } else {
                    format!(".{key}")
                }
            }
        };
        walk(item.value, format!("{path}{step}"), depth + 1, leaves);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_path() {
        let text = br#"{"a":1,"b":{"c":"x\"y","d.e/f":true},"g":[{"name":"web","i":"n"},{"name":"db"}],"h":[1,{"name":"z"}],"k":{},"l":[]}"#;
        let found: Vec<String> = json_leaves(text).into_iter().map(|(path, value)| format!("{path}={value}")).collect();
        let want = [
            "a=1",
            "b.c=x\"y",
            "b[d.e/f]=true",
            "g[web].name=web",
            "g[web].i=n",
            "g[db].name=db",
            "h[0]=1",
            "h[1].name=z",
            "k={}",
            "l=[]",
        ];
        assert_eq!(found, want);
        let deep = "[".repeat(500) + &"]".repeat(500);
        assert_eq!(json_leaves(deep.as_bytes()).len(), 1);
    }
}
