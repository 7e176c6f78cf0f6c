//! What people write and what is logged: the API server logs an exec, attach or port-forward as `get` or `create` of a
//! subresource, and people ask for the verb.

use super::ast::{Check, Expr};
use crate::event::is_stream;
use crate::field::lookup;

/// The check, with `ka.action` in place of, or beside, `ka.verb` where a constant is one of them.
pub(super) fn expr(check: Check) -> Expr {
    let streams = check.written.iter().filter(|word| is_stream(word)).count();
    if check.field.field.name != "ka.verb" || streams == 0 || !matches!(check.op.name, "=" | "==" | "!=" | "in") {
        return Expr::Check(check);
    }
    let Ok(field) = lookup("ka.action") else { return Expr::Check(check) };
    let action = Expr::Check(Check { field, ..check.clone() });
    if streams == check.written.len() { action } else { Expr::or(vec![Expr::Check(check), action]) }
}

#[cfg(test)]
mod tests {
    use crate::filter::Filter;

    #[test]
    fn verbs_that_are_subresources_are_found() {
        for (written, meant) in [
            ("ka.verb = exec", "ka.action = exec"),
            ("ka.verb != attach", "ka.action != attach"),
            ("ka.verb in (exec, portforward)", "ka.action in (exec, portforward)"),
            ("ka.verb in (delete, exec)", "ka.verb in (delete, exec) or ka.action in (delete, exec)"),
            ("ka.verb = get", "ka.verb = get"),
        ] {
            let filter = Filter::parse(written).unwrap_or_else(|e| panic!("{written}: {e:?}"));
            assert_eq!(filter.expr().to_string(), meant);
        }
    }
}
