//! Kinds that come from elsewhere: what only sysdig's captures have is kept as it was; Kubernetes audit events.

use super::entry::{json_text, made, source};
use crate::event::flags::{EXECVE_FLAGS, FILE_FLAGS};
use crate::event::spec::Category::{Internal, Memory, Other, System, User};
use crate::event::spec::{KindFlags, ParamType, Spec};

/// What only imported captures have.
#[rustfmt::skip] // a table: one kind, one line
pub(super) const IMPORTED: &[Spec] = &[
    made("drop", Internal, KindFlags::NONE, &[source("ratio", ParamType::Uint)]),
    made("container", Internal, KindFlags::STATE, &[source("json", ParamType::Text)]),
    made("useradded", User, KindFlags::NONE, &[source("uid", ParamType::Uint), source("gid", ParamType::Uint), source("name", ParamType::Text), source("home", ParamType::Text), source("shell", ParamType::Text), source("container_id", ParamType::Text)]),
    made("userdeleted", User, KindFlags::NONE, &[source("uid", ParamType::Uint), source("gid", ParamType::Uint), source("name", ParamType::Text), source("home", ParamType::Text), source("shell", ParamType::Text), source("container_id", ParamType::Text)]),
    made("groupadded", User, KindFlags::NONE, &[source("gid", ParamType::Uint), source("name", ParamType::Text), source("container_id", ParamType::Text)]),
    made("groupdeleted", User, KindFlags::NONE, &[source("gid", ParamType::Uint), source("name", ParamType::Text), source("container_id", ParamType::Text)]),
    made("pluginevent", Other, KindFlags::NONE, &[source("plugin_id", ParamType::Uint), source("event_data", ParamType::Bytes)]),
    made("asyncevent", Other, KindFlags::NONE, &[source("plugin_id", ParamType::Uint), source("name", ParamType::Text), source("data", ParamType::Bytes)]),
    made("infra", Internal, KindFlags::NONE, &[source("source", ParamType::Text), source("name", ParamType::Text), source("description", ParamType::Text), source("scope", ParamType::Text)]),
    made("notification", Internal, KindFlags::NONE, &[source("id", ParamType::Text), source("desc", ParamType::Text)]),
    made("cpu_hotplug", System, KindFlags::NONE, &[source("cpu", ParamType::Uint), source("action", ParamType::Uint)]),
    made("page_fault", Memory, KindFlags::NONE, &[source("addr", ParamType::Hex), source("ip", ParamType::Hex), source("error", ParamType::Hex)]),
    made("scapevent", Internal, KindFlags::NONE, &[source("event_type", ParamType::Uint), source("event_data", ParamType::Uint)]),
    made("k8s", Internal, KindFlags::NONE, &[source("json", ParamType::Text)]),
    made("mesos", Internal, KindFlags::NONE, &[source("json", ParamType::Text)]),
    made("tracer", Other, KindFlags::NONE, &[source("id", ParamType::Int), source("tags", ParamType::TextList), source("args", ParamType::TextList)]),
    made("task", Internal, KindFlags::NONE, &[source("ppid", ParamType::Pid), source("pgid", ParamType::Pid), source("vpgid", ParamType::Pid), source("sid", ParamType::Pid), source("comm", ParamType::Text), source("argv", ParamType::TextList), source("exepath", ParamType::Path), source("flags", ParamType::Flags).named(EXECVE_FLAGS), source("env", ParamType::TextList), source("cwd", ParamType::Text), source("fdlimit", ParamType::Uint), source("euid", ParamType::Uid), source("egid", ParamType::Gid), source("cap_permitted", ParamType::Hex), source("cap_effective", ParamType::Hex), source("cap_inheritable", ParamType::Hex), source("exe_ino_num", ParamType::Uint), source("exe_ino_ctime", ParamType::Time), source("exe_ino_mtime", ParamType::Time), source("vm_size", ParamType::Uint), source("vm_rss", ParamType::Uint), source("vm_swap", ParamType::Uint), source("pgft_maj", ParamType::Uint), source("pgft_min", ParamType::Uint), source("vtgid", ParamType::Pid), source("vpid", ParamType::Pid), source("pidns_init_start_ts", ParamType::Uint), source("cgroups", ParamType::TextList), source("root", ParamType::Path), source("start_time", ParamType::Time), source("tty", ParamType::Uint), source("loginuid", ParamType::Uid)]),
    made("task_file_pipe", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("path", ParamType::Path), source("ino_num", ParamType::Uint)]),
    made("task_file_memfd", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("path", ParamType::Path), source("ino_num", ParamType::Uint)]),
    made("task_file_regular", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("path", ParamType::Path), source("flags", ParamType::Flags).named(FILE_FLAGS), source("mnt_id", ParamType::Uint), source("ino_num", ParamType::Uint)]),
    made("task_file_directory", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("path", ParamType::Path), source("ino_num", ParamType::Uint)]),
    made("task_file_socket_inet", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("sk_type", ParamType::Uint), source("sk_proto", ParamType::Uint), source("local_ip", ParamType::Hex), source("local_port", ParamType::Uint), source("remote_ip", ParamType::Hex), source("remote_port", ParamType::Uint), source("ino_num", ParamType::Uint)]),
    made("task_file_socket_inet6", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("sk_type", ParamType::Uint), source("sk_proto", ParamType::Uint), source("local_ip", ParamType::Text), source("local_port", ParamType::Uint), source("remote_ip", ParamType::Text), source("remote_port", ParamType::Uint), source("ino_num", ParamType::Uint)]),
    made("task_file_socket_unix", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("sk_type", ParamType::Uint), source("sk_proto", ParamType::Uint), source("sk_pointer", ParamType::Uint), source("sun_path", ParamType::Path), source("ino_num", ParamType::Uint)]),
    made("task_file_socket_netlink", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("sk_type", ParamType::Uint), source("sk_proto", ParamType::Uint), source("ino_num", ParamType::Uint)]),
    made("task_file_anon_inode", Internal, KindFlags::NONE, &[source("fd", ParamType::Fd), source("fd_type", ParamType::Uint), source("path", ParamType::Path), source("ino_num", ParamType::Uint)]),
    // Parameters as `event::AuditPart` says: how they make up an event stands in `docs/audit.md`.
    made("k8saudit", Other, KindFlags::NONE, &[source("level", ParamType::Text), source("stage", ParamType::Text), source("verb", ParamType::Text), source("uri", ParamType::Text).apart(), source("user", ParamType::Text), source("resource", ParamType::Text), source("namespace", ParamType::Text), source("name", ParamType::Text).apart(), source("subresource", ParamType::Text), source("code", ParamType::Int), source("agent", ParamType::Text), source("group", ParamType::Text), source("version", ParamType::Text), source("uid", ParamType::Text).apart(), source("revision", ParamType::Text).apart(), source("id", ParamType::Json), json_text("ips"), json_text("account"), json_text("as"), json_text("status").apart(), json_text("notes").apart(), source("request", ParamType::Json), source("response", ParamType::Json), json_text("form").apart(), source("rest", ParamType::Json)]),
];
