//! [`Schema`]: the event kinds a segment uses, as the version that wrote it knew them.

use crate::event::{Category, Class, KindFlags, ParamType, SPECS};
use serde::{Deserialize, Serialize};

/// A parameter as the writer knew it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamInfo {
    /// Name.
    pub name: String,
    /// Meaning.
    pub ty: ParamType,
    /// Name of the flag table, if it has one.
    pub table: Option<String>,
    /// Storage.
    pub class: Class,
}

/// A kind of event as the writer knew it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindInfo {
    /// `evt.type`.
    pub name: String,
    /// Category.
    pub category: Category,
    /// Facts.
    pub flags: KindFlags,
    /// Name and meaning of the return value.
    pub ret: Option<(String, ParamType)>,
    /// Parameter with the descriptor number.
    pub fd: Option<u8>,
    /// Parameter that the return value is stored against.
    pub size: Option<u8>,
    /// Parameters, in order.
    pub params: Vec<ParamInfo>,
}

/// All kinds of a segment; a kind's number in a batch is its index here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schema {
    /// The kinds.
    pub kinds: Vec<KindInfo>,
}

impl Schema {
    /// The schema that this version writes: THE event table.
    pub fn current() -> Schema {
        Schema { kinds: SPECS.iter().map(KindInfo::of).collect() }
    }
}

impl KindInfo {
    fn of(spec: &crate::event::Spec) -> KindInfo {
        KindInfo {
            name: spec.name.to_owned(),
            category: spec.category,
            flags: spec.flags,
            ret: spec.ret.as_ref().map(|r| (r.name.to_owned(), r.ty)),
            fd: spec.fd,
            size: spec.size,
            params: spec.params.iter().map(ParamInfo::of).collect(),
        }
    }

    /// Position of a parameter among those of its class (its column in [`Table`](super::Table)).
    pub fn slot(&self, param: usize) -> usize {
        let class = self.params[param].class;
        self.params[..param].iter().filter(|p| p.class == class).count()
    }

    /// How many parameters are stored in this class.
    pub fn count(&self, class: Class) -> usize {
        self.params.iter().filter(|p| p.class == class).count()
    }
}

impl ParamInfo {
    fn of(param: &crate::event::Param) -> ParamInfo {
        ParamInfo {
            name: param.name.to_owned(),
            ty: param.ty,
            table: param.table.map(|t| t.name.to_owned()),
            class: param.class,
        }
    }
}
