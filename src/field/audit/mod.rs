//! `ka.*` and `json.*`: Kubernetes audit events. Meanings are those of Falco's k8saudit and json plugins as documented.

mod bodies;
mod body;
mod catalogue;
mod event;
mod object;
mod walk;

pub(super) use bodies::BODY_FIELDS;
pub(super) use catalogue::EVENT_FIELDS;
pub(super) use event::{claimed_ips, peer_ip};
pub(super) use object::OBJECT_FIELDS;
pub(super) use walk::{KIND as AUDIT, of_text, place, value};
