//! Kubernetes audit logs of a real API server: nothing is lost, everything comes back, and what happened is found.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::{shared, skip};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use sysreel::source::scap;

fn sysreel(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> String {
    let mut text = String::new();
    scap::open(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Logs, those of one that was rotated together.
fn logs(data: &Path) -> Vec<Vec<PathBuf>> {
    let file = |name: &str| data.join("k8s").join(name);
    vec![
        vec![file("run3-seed003/k8s_audit-2026-11-21T21-24-02.739.log.gz"), file("run3-seed003/k8s_audit.log.zst")],
        vec![file("run4-seed000-trunc/k8s_audit.log.zst")],
        vec![file("run6-legacy/k8s_audit.log.zst")],
    ]
}

#[test]
fn logs_come_back_byte_for_byte_and_in_order_of_time() {
    let Some(data) = shared().map(|shared| shared.join("data")) else { return skip("audit logs", "no shared data") };
    let folder = tempfile::tempdir().unwrap();
    for (n, log) in logs(&data).into_iter().enumerate() {
        let want: String = log.iter().map(|path| text(path)).collect();
        let reel = folder.path().join(format!("{n}.reel"));
        let mut words: Vec<&str> = log.iter().flat_map(|path| ["-r", path.to_str().unwrap()]).collect();
        words.extend(["-q", "-w", reel.to_str().unwrap()]);
        sysreel(&words);
        let reel = reel.to_str().unwrap();
        let found = sysreel(&["convert", "--to", "jsonl", reel]);
        assert!(sorted(&found) == sorted(&want), "{log:?}");
        let times = sysreel(&["-r", reel, "-p", "%evt.rawtime"]);
        assert!(times.lines().map(|time| time.parse::<u64>().unwrap()).is_sorted(), "{log:?}");
    }
}

#[test]
fn a_log_on_standard_input_and_several_logs_become_one_reel() {
    let Some(data) = shared().map(|shared| shared.join("data")) else { return skip("audit merged", "no shared data") };
    let [a, b] = ["run4-seed000-trunc", "run6-legacy"].map(|run| data.join("k8s").join(run).join("k8s_audit.log.zst"));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let run = |words: &[&str], input: &[u8]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysreel"));
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // What is refused is not read to its end.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let lines = |reel: &str| sysreel(&["convert", "--to", "jsonl", reel]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text(&a).as_bytes()).unwrap();
    let wanted = lines(a.to_str().unwrap());
    for (name, input) in [
        ("plain.reel", text(&a).into_bytes()),
        ("gzip.reel", gzip.finish().unwrap()),
        ("zstd.reel", std::fs::read(&a).unwrap()),
    ] {
        let (code, said) = run(&["-r", "-", "-w", &path(name)], &input);
        assert_eq!(code, Some(0), "{name}: {said}");
        assert!(said.contains("standard input -> ") && said.contains("858 audit events"), "{name}: {said}");
        assert_eq!(lines(&path(name)), wanted, "{name}");
    }
    let (one, [a, b]) = (path("one.reel"), [a, b].map(|path| path.to_string_lossy().into_owned()));
    let (code, said) = run(&["-r", &a, "-r", &b, "-w", &one], b"");
    assert!(code == Some(0) && said.contains(&format!("{a}, {b} -> {one}: 5728 audit events")), "{said}");
    let both = sysreel(&["-r", &a, "-r", &b, "-p", "%evt.rawtime %ka.raw"]);
    assert_eq!(sorted(&sysreel(&["-r", &one, "-p", "%evt.rawtime %ka.raw"])), sorted(&both));
    let times = sysreel(&["-r", &one, "-p", "%evt.rawtime"]);
    assert!(times.lines().map(|time| time.parse::<u64>().unwrap()).is_sorted());
    // Reels through their lines.
    let both = sysreel(&["convert", "--to", "jsonl", &path("zstd.reel"), &one]);
    let (code, said) = run(&["-r", "-", "-w", &path("merged.reel")], both.as_bytes());
    assert!(code == Some(0) && said.contains("5728 audit events, 858 more were there twice"), "{said}");
    for (words, input, want) in [
        (&["-r", "-", "-w", &path("no.reel")][..], &b""[..], "found nothing"),
        (&["-r", "-", "-w", &path("no.reel")], &std::fs::read(&one).unwrap(), "found a reel"),
        (&["-r", "-", "-r", &a, "-w", &path("no.reel")], b"", "expected standard input alone"),
        (&["-r", &one, "-r", &a, "-w", &path("no.reel")], b"", "expected a scap file or an audit log"),
    ] {
        let (code, said) = run(words, input);
        assert!(code == Some(2) && said.contains(want) && said.contains("help:"), "{words:?}: {said}");
    }
    assert!(!Path::new(&path("no.reel")).exists());
}

#[test]
fn verbs_levels_stages_and_users_are_those_that_jq_counts() {
    let Some(data) = shared().map(|shared| shared.join("data")) else { return skip("audit counts", "no shared data") };
    if Command::new("jq").arg("--version").output().is_err() {
        return skip("audit counts", "no jq");
    }
    let query = r#"[.verb, .level, .stage, (.user.username // "<NA>"), (.responseStatus.code // "<NA>" | tostring)] | join(" ")"#;
    let folder = tempfile::tempdir().unwrap();
    // The old one-line form is no JSON.
    for log in logs(&data).into_iter().take(2) {
        let plain = folder.path().join("plain.log");
        std::fs::write(&plain, log.iter().map(|path| text(path)).collect::<String>()).unwrap();
        let jq = Command::new("jq").args(["-r", query]).arg(&plain).output().unwrap();
        assert!(jq.status.success());
        let theirs = String::from_utf8(jq.stdout).unwrap();
        let mut words: Vec<&str> = log.iter().flat_map(|path| ["-r", path.to_str().unwrap()]).collect();
        words.extend(["-p", "*%ka.verb %ka.level %ka.stage %ka.user.name %ka.response.code"]);
        let ours = sysreel(&words);
        assert!(theirs.lines().count() > 800);
        assert_eq!(sorted(&ours), sorted(&theirs), "{log:?}");
    }
}

/// File of the rule suite, field, value as it is documented.
const SUITE: &[(&str, &str, &str)] = &[
    ("create_nginx_pod_privileged", "ka.verb", "create"),
    ("create_nginx_pod_privileged", "ka.response.code", "201"),
    ("create_nginx_pod_privileged", "ka.target.resource", "pods"),
    ("create_nginx_pod_privileged", "ka.target.subresource", "<NA>"),
    ("create_nginx_pod_privileged", "ka.target.pod.name", "nginx-deployment-5cdcc99dbf-rgw6z"),
    ("create_nginx_pod_privileged", "ka.req.container.privileged", "true"),
    ("create_nginx_pod_privileged", "ka.req.pod.containers.image", "nginx"),
    ("create_nginx_pod_privileged", "ka.user.groups[0]", "system:serviceaccounts"),
    ("create_nginx_pod_unprivileged", "ka.req.container.privileged", "false"),
    ("create_nginx_pod_hostnetwork", "ka.req.pod.host_network", "true"),
    ("create_nginx_pod_nohostnetwork", "ka.req.pod.host_network", "<NA>"),
    ("create_nginx_pod_no_secctx_1st_container_privileged_2nd_container", "ka.req.container.privileged", "true"),
    ("create_nginx_pod_no_secctx_1st_container_privileged_2nd_container", "ka.req.pod.containers.privileged", "true"),
    (
        "create_nginx_pod_no_secctx_1st_container_privileged_2nd_container",
        "ka.req.pod.containers.image[1]",
        "mysql:latest",
    ),
    (
        "create_nginx_pod_no_secctx_1st_container_privileged_2nd_container",
        "ka.req.pod.containers.image.repository[1]",
        "mysql",
    ),
    (
        "create_nginx_pod_no_secctx_1st_container_privileged_2nd_container",
        "ka.req.pod.containers.eff_run_as_user[1]",
        "0",
    ),
    ("create_nginx_pod_sensitive_mount", "ka.req.volume.hostpath[/etc]", "true"),
    ("create_nginx_pod_sensitive_mount", "ka.req.volume.hostpath[/et*]", "true"),
    ("create_nginx_pod_sensitive_mount", "ka.req.volume.hostpath[/e]", "false"),
    ("create_nginx_pod_sensitive_mount_2nd_container", "ka.req.pod.volumes.hostpath", "/etc"),
    ("create_nginx_pod_unsensitive_mount", "ka.req.volume.hostpath[/etc*]", "<NA>"),
    ("attach_cluster_admin_role", "ka.req.binding.role", "cluster-admin"),
    ("attach_cluster_admin_role", "ka.req.binding.subjects.user_names", "minikube"),
    ("attach_cluster_admin_role", "ka.req.volume.hostpath[/etc]", "<NA>"),
    ("create_cluster_role_pod_exec", "ka.req.role.rules.resources", "pods/exec"),
    ("create_cluster_role_wildcard_verbs", "ka.req.role.rules.verbs[0]", "*"),
    ("create_nginx_service_nodeport", "ka.req.service.type", "NodePort"),
    ("exec_pod", "ka.verb", "create"),
    ("exec_pod", "ka.action", "exec"),
    ("exec_pod", "ka.uri.param[command]", "bash"),
    ("exec_pod", "ka.exec.command", "bash"),
    ("exec_pod", "ka.target.pod.name", "<NA>"),
    ("exec_pod", "ka.auth.decision", "allow"),
    ("exec_pod", "jevt.value[/user/groups/0]", "system:masters"),
    ("anonymous_creates_namespace_foo", "ka.user.name", "system:anonymous"),
    ("anonymous_creates_namespace_foo", "json.value[/objectRef/name]", "foo"),
];

#[test]
fn fields_have_the_values_that_falco_documents() {
    let Some(shared) = shared() else { return skip("k8s audit suite", "no shared data") };
    let mut by_file: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (file, field, value) in SUITE {
        by_file.entry(file).or_default().push((field, value));
    }
    for (file, fields) in by_file {
        let path = shared.join(format!("data/falco/k8s_audit/{file}.json"));
        let format: Vec<String> = fields.iter().map(|(field, _)| format!("{field}=%{field}")).collect();
        let found = sysreel(&["-r", path.to_str().unwrap(), "-p", &format!("*{}", format.join("|"))]);
        let want: Vec<String> = fields.iter().map(|(field, value)| format!("{field}={value}")).collect();
        assert_eq!(found.trim_end(), want.join("|"), "{file}");
    }
}

/// Step of the ground truth, how many events its question finds in its time, how many at other times of the whole log, the question.
const STEPS: &[(&str, usize, usize, &str)] = &[
    // Elsewhere: anonymous reads what A51 grants.
    (
        "A01",
        33,
        2,
        "ka.user.name = system:anonymous and ka.sourceip.claimed = 203.0.113.66 and ka.response.code in (200, 403)",
    ),
    (
        "A02",
        40,
        0,
        "ka.response.code = 401 and ka.stage = ResponseStarted and not ka.user.name exists and ka.sourceip.claimed = 203.0.113.66",
    ),
    (
        "A03",
        3,
        0,
        "ka.response.code = 401 and ka.stage = ResponseStarted and not ka.user.name exists and not ka.sourceip.claimed exists",
    ),
    (
        "A04",
        8,
        0,
        "ka.verb = create and ka.target.resource in (selfsubjectrulesreviews, selfsubjectaccessreviews) and ka.user.name = mallory",
    ),
    (
        "A05",
        10,
        0,
        "ka.verb = list and ka.target.resource = secrets and ka.response.code = 403 and ka.user.name = mallory",
    ),
    (
        "A06",
        12,
        0,
        "ka.user.name = guest and ka.response.code = 403 and ka.useragent regex '.*(kube-hunter|peirates|kubesploit|python).*'",
    ),
    (
        "A10",
        1,
        0,
        "ka.verb = create and ka.target.resource = clusterroles and ka.user.name = system:serviceaccount:default:default and ka.response.code = 201",
    ),
    (
        "A11",
        1,
        0,
        "ka.verb = create and ka.target.resource = clusterrolebindings and ka.req.binding.role = cluster-admin and ka.response.code = 201 and ka.user.name != system:apiserver",
    ),
    (
        "A12",
        1,
        0,
        "ka.verb = create and ka.target.resource = clusterrolebindings and ka.response.code = 403 and ka.user.name startswith system:serviceaccount",
    ),
    (
        "A13",
        2,
        0,
        "ka.target.resource = secrets and ka.verb in (get, list) and ka.response.code = 200 and ka.user.name = system:serviceaccount:default:default",
    ),
    ("A20-1.27", 6, 0, "ka.verb = exec and jevt.value[/verb] = create and ka.response.code = 101"),
    (
        "A20-1.33",
        4,
        0,
        "ka.verb = exec and jevt.value[/verb] = get and ka.response.code = 101 and ka.useragent startswith kubectl.1.33 and ka.exec.args intersects (sh)",
    ),
    ("A21", 3, 0, "ka.verb = exec and ka.user.name = alice"),
    ("A22", 2, 0, "ka.user.name = mallory and ka.response.code = 403 and ka.target.resource = pods and ka.verb = get"),
    // Elsewhere: the end of the request.
    ("A23-1.27", 1, 1, "ka.verb = portforward and jevt.value[/verb] = create and ka.response.code = 101"),
    // Elsewhere: the end of the request.
    ("A23-1.33", 1, 1, "ka.verb = portforward and jevt.value[/verb] = get and ka.response.code = 101"),
    ("A24", 3, 0, "ka.verb = attach"),
    ("A25", 3, 0, "ka.exec.args intersects (tar)"),
    ("A26", 2, 0, "ka.verb = patch and ka.target.subresource = ephemeralcontainers"),
    ("A27", 3, 0, "ka.exec.command contains /dev/tcp"),
    ("A30", 1, 0, "ka.req.container.privileged = true and ka.user.name = system:serviceaccount:default:default"),
    ("A31", 1, 0, "ka.req.pod.volumes.hostpath intersects (/)"),
    ("A31b", 1, 0, "ka.req.volume.hostpath[/var/run/docker.sock] = true"),
    ("A32", 1, 0, "ka.req.pod.host_network = true"),
    ("A33", 1, 0, "ka.req.pod.host_pid = true and ka.req.pod.host_ipc = true"),
    ("A34", 1, 0, "ka.req.pod.containers.add_capabilities intersects (SYS_ADMIN)"),
    ("A35", 1, 0, "jevt.value[/requestObject/spec] contains Unconfined"),
    ("A36", 1, 0, "ka.verb = create and ka.target.resource = pods and ka.req.container.image icontains xmr"),
    (
        "A37",
        1,
        0,
        "ka.verb = create and ka.target.resource = pods and jevt.value[/requestObject/spec] contains /dev/tcp",
    ),
    (
        "A38",
        2,
        0,
        "ka.verb = create and ka.target.resource = pods and ka.target.namespace = kube-system and ka.user.name = system:serviceaccount:default:default",
    ),
    (
        "A39",
        30,
        0,
        "ka.verb = create and ka.target.resource = pods and ka.response.code = 201 and ka.user.name = system:serviceaccount:default:default and not ka.target.namespace in (default, kube-system)",
    ),
    (
        "A40",
        2,
        0,
        "ka.verb = create and ka.target.resource = serviceaccounts and not ka.target.subresource exists and ka.target.namespace = kube-system and not ka.user.name startswith system:kube and not ka.user.name startswith system:serviceaccount:kube-system:",
    ),
    (
        "A41",
        2,
        0,
        "ka.verb = create and ka.target.resource = serviceaccounts and ka.target.subresource = token and ka.user.name startswith system:serviceaccount:",
    ),
    ("A42", 2, 0, "ka.verb = create and ka.target.resource = mutatingwebhookconfigurations"),
    ("A43", 2, 0, "ka.verb = delete and ka.target.resource = mutatingwebhookconfigurations"),
    ("A44", 2, 0, "ka.verb = create and ka.target.resource = cronjobs"),
    ("A45", 2, 0, "ka.verb = create and ka.target.resource = daemonsets"),
    (
        "A46",
        1,
        0,
        "ka.verb = patch and ka.target.resource = deployments and jevt.value[/requestObject] contains containers and ka.user.name = kubernetes-admin and not ka.useragent startswith argocd",
    ),
    ("A47", 2, 0, "ka.req.service.type = NodePort"),
    ("A48", 1, 0, "ka.verb = create and ka.target.resource = configmaps and ka.target.name = leaky"),
    ("A49", 2, 0, "ka.verb in (update, patch) and ka.target.resource = configmaps and ka.target.name = coredns"),
    // Elsewhere: the preparation makes such a role.
    (
        "A50",
        1,
        1,
        "ka.req.role.rules.verbs intersects (escalate, bind, impersonate) and not ka.user.name startswith system:",
    ),
    ("A51", 1, 0, "ka.req.binding.subjects.user_names intersects (system:anonymous)"),
    (
        "A52",
        2,
        0,
        "ka.verb in (update, patch) and ka.target.resource = clusterroles and ka.target.name startswith system:",
    ),
    ("A53", 2, 0, "ka.target.resource = certificatesigningrequests and ka.target.subresource = approval"),
    ("A54", 2, 0, "ka.impuser.name exists"),
    // Elsewhere: `guest` tries it in A06.
    ("A55", 3, 12, "ka.target.resource = nodes and ka.target.subresource = proxy"),
    (
        "A56",
        5,
        0,
        "ka.target.resource = pods and (ka.target.subresource = eviction or (ka.target.subresource = log and ka.user.name = kubernetes-admin and ka.useragent startswith kubectl))",
    ),
    (
        "A57",
        4,
        0,
        "ka.verb = deletecollection and ka.target.resource = events and not ka.user.name startswith system:serviceaccount:kube-system:",
    ),
    (
        "A60",
        120,
        0,
        "ka.verb = delete and ka.user.name = ops-admin and ka.target.resource = configmaps and ka.stage = ResponseComplete",
    ),
    (
        "A61",
        19,
        0,
        "ka.verb = delete and ka.user.name = jenkins-ci and ka.sourceip = 127.0.77.1 and ka.stage = ResponseComplete",
    ),
    ("A62", 2, 0, "ka.verb = delete and ka.target.resource = namespaces"),
    ("A63", 2, 0, "ka.verb = delete and ka.target.resource = deployments and ka.user.name = ops-admin"),
    ("E01", 6, 0, "ka.auditid.is_odd = true"),
    ("E02", 2, 0, "ka.useragent endswith ...TRUNCATED"),
    // Elsewhere: a controller tells the status of the object.
    ("E03", 1, 1, "len(ka.raw) > 900000 and ka.verb in (create, update, patch)"),
    // Elsewhere: answers that came behind the step's end.
    ("E04", 4, 2, "ka.target.name = uni and ka.raw contains '\\\\\"'"),
    ("E05", 2, 0, "ka.sourceip.claimed = 2001:db8::1"),
    ("E06", 2, 0, "ka.uri.param[dryRun] = All"),
    // Elsewhere: kubectl looks for objects that A42, A51 and E08 name.
    (
        "E07",
        4,
        3,
        "ka.response.code in (404, 405, 409, 422) and ka.user.name = kubernetes-admin and not ka.useragent startswith argocd",
    ),
    // Elsewhere: kubectl looks for objects that A42, A51 and E07 name.
    (
        "E08",
        3,
        3,
        "(ka.annotation[k8s.io/deprecated] = true or ka.response.code = 404) and ka.user.name = kubernetes-admin and not ka.useragent startswith argocd",
    ),
    ("E09", 2, 0, "ka.security.pod.violations exists"),
];

/// When a step began and ended, as the ground truth has it.
fn when(truth: &str, id: &str) -> (String, String) {
    let line = truth.lines().find(|line| line.contains(&format!("\"id\": \"{id}\""))).unwrap();
    let of = |key: &str| {
        let (_, rest) = line.split_once(&format!("\"{key}\": \"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    (of("start"), of("end"))
}

#[test]
fn every_step_of_the_attack_is_found_in_the_whole_log_and_nothing_else() {
    let Some(shared) = shared() else { return skip("audit ground truth", "no shared data") };
    let run = shared.join("data/k8s/run2-full");
    let truth = std::fs::read_to_string(run.join("ground_truth.jsonl")).unwrap();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(run.join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("run2.reel");
    let mut words: Vec<&str> = files.iter().flat_map(|path| ["-r", path.to_str().unwrap()]).collect();
    words.extend(["-q", "-w", reel.to_str().unwrap()]);
    sysreel(&words);
    let reel = reel.to_str().unwrap();
    assert_eq!(sysreel(&["-r", reel, "-p", "%evt.num"]).lines().count(), 151_137);
    let time_of = |text: &str| match sysreel::value::Moment::parse(text) {
        Some(sysreel::value::Moment::Utc(time)) => time,
        other => panic!("{text}: {other:?}"),
    };
    let (quiet, _) = when(&truth, "P00");
    let quiet = time_of(&quiet);
    let mut wrong = Vec::new();
    for (id, within, elsewhere, question) in STEPS {
        let (start, end) = when(&truth, id);
        let (start, end) = (time_of(&start), time_of(&end));
        let found = sysreel(&["-r", reel, "-p", "*%evt.rawtime", question]);
        let times: Vec<u64> = found.lines().map(|time| time.parse().unwrap()).collect();
        let inside = times.iter().filter(|&&time| start <= time && time <= end).count();
        if (inside, times.len() - inside) != (*within, *elsewhere) {
            let outside = times.len() - inside;
            wrong.push(format!("{id}: expected {within} + {elsewhere}, found {inside} + {outside}: {question}"));
        }
        // Before the attack was prepared nothing of it may be found, by whatever question.
        let early = times.iter().filter(|&&time| time < quiet).count();
        if early > 0 {
            wrong.push(format!("{id}: {early} events in the quiet part: {question}"));
        }
    }
    assert_eq!(truth.lines().filter(|line| !line.contains("\"P00\"")).count(), STEPS.len(), "each step has a question");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    thresholds_find_what_they_are_said_to(reel);
    what_is_new_of_credentials_is_told_with_little_noise(reel);
}

/// An article's rules as it states them, and ours: counted apart from this program by walking the JSON.
fn thresholds_find_what_they_are_said_to(reel: &str) {
    let of = |filter: &str| sysreel(&["-r", reel, "-p", "*%evt.rawtime %ka.user.name", filter]);
    assert_eq!(of("ka.verb = delete").lines().count(), 29_870);
    assert_eq!(of("ka.verb = delete and ka.stage = ResponseComplete").lines().count(), 14_936);
    // Users with 20 events or more in five minutes by the clock, and how often that was.
    let windows = |filter: &str| {
        let mut counts: BTreeMap<(String, u64), usize> = BTreeMap::new();
        for line in of(filter).lines() {
            let (time, user) = line.split_once(' ').unwrap();
            *counts.entry((user.to_owned(), time.parse::<u64>().unwrap() / 300_000_000_000)).or_default() += 1;
        }
        let many: Vec<&String> = counts.iter().filter(|(_, count)| **count >= 20).map(|((user, _), _)| user).collect();
        (many.iter().collect::<std::collections::BTreeSet<_>>().len(), many.len())
    };
    assert_eq!(windows("ka.verb exists"), (27, 43));
    assert_eq!(windows("ka.verb = delete").0, 13);
    assert_eq!(windows("ka.verb = delete and not ka.user.name startswith system:"), (6, 11));
    // The chisel's window slides; who has no name (a failed login) is nobody.
    let users = |args: &[&str]| {
        let csv = sysreel(&[&["-r", reel, "--csv", "-c", "audit_bursts"], args].concat());
        csv.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(users(&["20 300000 literal 'evt.num exists'"]).len(), 26);
    let people = ["kubernetes-admin", "alice", "bob", "carol", "jenkins-ci"];
    let attack = ["system:anonymous", "guest", "system:serviceaccount:default:default", "ops-admin"];
    assert_eq!(users(&[]), [&people[..], &attack].concat());
    let deletes = sysreel(&["-r", reel, "--csv", "-c", "audit_bursts", "20 300000 deletes"]);
    assert_eq!(deletes.lines().count(), 1 + 6);
    assert!(deletes.lines().any(|line| line.ends_with(",121,ops-admin")), "{deletes}");
}

/// The token that the attack uses from the beginning of A10 on shows with another program; nothing is told of who does as always.
fn what_is_new_of_credentials_is_told_with_little_noise(reel: &str) {
    let news = |args: &[&str]| sysreel(&[&["-r", reel, "--csv", "-c", "audit_first_seen"], args].concat());
    let all = news(&[]);
    let of = |user: &str| all.lines().filter(|line| line.contains(&format!(",{user},"))).collect::<Vec<_>>();
    let stolen = of("system:serviceaccount:default:default");
    assert!(matches!(stolen[..], [line] if line.contains("JTI=2db6cc22") && line.contains("python-requests/2.31.0")));
    let alice = of("alice").join("\n");
    assert!(alice.contains(",address,1,127.0.0.1") && alice.contains(",agent,1,kubectl.1.32"), "{alice}");
    assert_eq!((of("bob").len(), all.lines().count()), (0, 1 + 19), "{all}");
    // Within the first minute it is learnt what is usual.
    let later = news(&["60000"]);
    assert!(later.contains("python-requests") && later.lines().count() < 8, "{later}");
}
