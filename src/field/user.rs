//! `user.*` and `group.*`: on whose behalf a thread acts.

use super::{ArgRule, Extract, Field, FieldArg};
use crate::value::{Type, Value};
use crate::world::{Account, Dict, StrId, ThreadRow};

pub(super) static FIELDS: &[Field] = &[
    Field {
        name: "user.uid",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Effective user id.",
        example: "user.uid = 0",
        extract: Extract::Thread(uid),
    },
    Field {
        name: "user.name",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the effective user.",
        example: "user.name = root",
        extract: Extract::Thread(name),
    },
    Field::new(
        "user.homedir",
        Type::Path,
        ArgRule::No,
        "Home directory of the effective user.",
        "user.homedir startswith /home",
        Extract::Thread(homedir),
    ),
    Field::new(
        "user.shell",
        Type::Path,
        ArgRule::No,
        "Shell of the effective user.",
        "user.shell endswith /bash",
        Extract::Thread(shell),
    ),
    Field {
        name: "user.loginuid",
        ty: Type::Int,
        arg: ArgRule::No,
        doc: "Id of the user who logged in, -1 if nobody did.",
        example: "user.loginuid != -1",
        extract: Extract::Thread(loginuid),
    },
    Field {
        name: "user.loginname",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the user who logged in.",
        example: "user.loginname = alice",
        extract: Extract::Thread(loginname),
    },
    Field {
        name: "group.gid",
        ty: Type::Uint,
        arg: ArgRule::No,
        doc: "Effective group id.",
        example: "group.gid = 0",
        extract: Extract::Thread(gid),
    },
    Field {
        name: "group.name",
        ty: Type::Text,
        arg: ArgRule::No,
        doc: "Name of the effective group.",
        example: "group.name = docker",
        extract: Extract::Thread(group_name),
    },
];

/// Nobody logged in: what the kernel keeps as login uid of daemons.
const UNSET: u32 = u32::MAX;

fn user(dict: &Dict, uid: u32) -> Value<'_> {
    match dict.users.get(&uid) {
        Some(&id) => dict.strings.get(id).map_or(Value::Missing, Value::text),
        // Captures without a user table still know the one user that every system has.
        None if uid == 0 && dict.users.is_empty() => Value::text(b"root"),
        None => Value::Missing,
    }
}

/// The id that nobody has: the kernel's "leave it", and ours for one that is not known.
fn unknown(t: &ThreadRow, id: u32) -> bool {
    t.placeholder || id == u32::MAX
}

fn uid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if unknown(t, t.euid) { Value::Missing } else { Value::Uint(u64::from(t.euid)) }
}

fn name<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder { Value::Missing } else { user(dict, t.euid) }
}

/// A text of what is known of the user beside the name.
fn told<'a>(dict: &'a Dict, t: &ThreadRow, which: fn(&Account) -> StrId) -> Value<'a> {
    let account = dict.accounts.get(&t.euid).filter(|_| !unknown(t, t.euid));
    account.and_then(|account| dict.strings.get(which(account))).map_or(Value::Missing, Value::text)
}

fn homedir<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told(dict, t, |account| account.home)
}

fn shell<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    told(dict, t, |account| account.shell)
}

fn loginuid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    match t.loginuid {
        _ if t.placeholder => Value::Missing,
        UNSET => Value::Int(-1),
        uid => Value::Int(i64::from(uid)),
    }
}

fn loginname<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder || t.loginuid == UNSET { Value::Missing } else { user(dict, t.loginuid) }
}

fn gid<'a>(_: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if unknown(t, t.egid) { Value::Missing } else { Value::Uint(u64::from(t.egid)) }
}

fn group_name<'a>(dict: &'a Dict, t: &'a ThreadRow, _: &'a FieldArg) -> Value<'a> {
    if t.placeholder {
        return Value::Missing;
    }
    match dict.groups.get(&t.egid) {
        Some(&id) => dict.strings.get(id).map_or(Value::Missing, Value::text),
        None if t.egid == 0 && dict.groups.is_empty() => Value::text(b"root"),
        None => Value::Missing,
    }
}
