//! Which of a process's control groups says most about it.

use super::file;
use std::collections::{HashMap, HashSet};
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};

/// Words in a control group's path that container runtimes put there.
const RUNTIMES: [&str; 9] =
    ["/docker", "/kubepods", "kubepods-", "cri-containerd", "crio-", "libpod", "/buildkit/", "/lxc/", "lxc.payload"];

/// Whether a path looks like a container's: a runtime's word, or 64 hexadecimal digits in a row.
fn names_container(path: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    RUNTIMES.iter().any(|w| path.contains(w)) || path.split(|c| !hex(c)).any(|run| run.len() == 64)
}

/// The path that says most, of the text of `/proc/PID/cgroup` (lines `id:controllers:path`): one that names a
/// container, else the unified hierarchy's, else the longest.
pub(super) fn choose(text: &str) -> Option<&str> {
    let lines: Vec<(&str, &str)> = text.lines().filter_map(|l| l.split_once(':')).collect();
    let paths = || lines.iter().filter_map(|(_, rest)| rest.split_once(':').map(|(_, path)| path));
    let container = paths().filter(|p| names_container(p)).max_by_key(|p| p.len());
    let unified = || lines.iter().find_map(|(id, rest)| rest.strip_prefix(':').filter(|p| *id == "0" && *p != "/"));
    container.or_else(unified).or_else(|| paths().max_by_key(|p| p.len()))
}

/// The path of the control group that says most about a process; `None` if it is gone.
fn cgroup_of(pid: u32) -> Option<String> {
    let text = file::text(Path::new(&format!("/proc/{pid}/cgroup")), file::TEXT_LIMIT)?;
    choose(&text).map(str::to_owned)
}

/// Groups that are looked at in one walk, and how deep.
const MOST: usize = 1 << 16;
const MAX_DEPTH: usize = 32;

/// Finds the control groups of processes that are gone already, as short-lived commands are: by the group's id, which is the number of
/// its folder's inode in the unified hierarchy (`bpf_get_current_cgroup_id`).
#[derive(Debug, Default)]
pub struct Groups {
    by_id: HashMap<u64, String>,
    /// Ids that no folder had; their groups are gone, too.
    missing: HashSet<u64>,
}

impl Groups {
    /// The path of a process's group that says most; `id` is that of its group in the unified hierarchy.
    pub fn find(&mut self, pid: u32, id: u64) -> Option<String> {
        let told = cgroup_of(pid);
        if told.as_deref().is_some_and(names_container) {
            return told;
        }
        if !self.by_id.contains_key(&id) && !self.missing.contains(&id) {
            self.walk();
            if !self.by_id.contains_key(&id) && self.missing.len() < MOST {
                self.missing.insert(id);
            }
        }
        let own = self.by_id.get(&id).filter(|path| told.is_none() || names_container(path));
        own.cloned().or(told)
    }

    /// Looks at all groups that there are.
    fn walk(&mut self) {
        let Some(root) = unified() else { return };
        self.by_id.clear();
        let mut pending = vec![(root.clone(), 0)];
        while let Some((folder, depth)) = pending.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                if self.by_id.len() >= MOST || !entry.file_type().is_ok_and(|ty| ty.is_dir()) {
                    continue;
                }
                let path = entry.path();
                let below = path.strip_prefix(&root).map(|path| format!("/{}", path.display())).unwrap_or_default();
                self.by_id.insert(entry.ino(), below);
                if depth < MAX_DEPTH {
                    pending.push((path, depth + 1));
                }
            }
        }
    }
}

/// Where the unified hierarchy is mounted.
fn unified() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let words = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    words.filter(|words| words.get(2) == Some(&"cgroup2")).find_map(|words| words.get(1).map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containers_path_wins_then_the_unified_one_then_the_longest() {
        let id = "0123456789abcdef".repeat(4);
        let container = format!("/system.slice/x-{id}.scope");
        for (text, expected) in [
            (
                format!(
                    "12:cpu:/a\n1:name=systemd:{container}\n0::/long/unified/path/that/is/longer/than/anything/else/in/here/by/far\n"
                ),
                container.as_str(),
            ),
            ("5:memory:/kubepods/pod1/abc\n0::/init.scope\n".to_owned(), "/kubepods/pod1/abc"),
            ("3:cpu:/much/longer/path\n0::/user.slice\n".to_owned(), "/user.slice"),
            ("3:cpu:/much/longer/path\n2:pids:/short\n0::/\n".to_owned(), "/much/longer/path"),
            ("0::/\n".to_owned(), "/"),
            ("1:name=systemd:/a:b\n".to_owned(), "/a:b"),
        ] {
            assert_eq!(choose(&text), Some(expected), "{text}");
        }
        assert_eq!(choose("nonsense"), None);
    }
}
