//! What a real API server's audit log shows, field by field: each fact was counted apart from this program, by walking the JSON.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::SYSREEL;
use common::{shared, skip};
use std::process::Command;

fn sysreel(words: &[&str]) -> String {
    let output = Command::new(SYSREEL).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Files of the log that have what is asked for.
const FILES: [&str; 3] = [
    "k8s_audit-2026-11-21T21-16-33.788.log.zst",
    "k8s_audit-2026-11-21T21-17-06.746.log.zst",
    "k8s_audit-2026-11-21T21-19-02.044.log.zst",
];

/// How many events, of which question.
const FACTS: &[(usize, &str)] = &[
    // A stream is a subresource; its verb is create or get, and what people write finds it.
    (27, "ka.verb = exec"),
    (9, "ka.target.subresource = exec and jevt.value[/verb] = create"),
    (18, "ka.target.subresource = exec and jevt.value[/verb] = get"),
    // A failed login is one event, and has no user.
    (43, "ka.response.code = 401"),
    (43, "ka.response.code = 401 and ka.stage = ResponseStarted and not ka.user.name exists"),
    (70, "ka.user.name = system:anonymous"),
    (43, "not ka.user.name exists"),
    (0, "ka.user.name = ''"),
    // The name of a new object comes later.
    (
        1536,
        "ka.target.resource = pods and jevt.value[/verb] = create and not ka.target.subresource exists and ka.stage = RequestReceived and not ka.target.name exists",
    ),
    // An id that a client made up.
    (6, "ka.auditid.is_odd = true"),
    // Who connected, and what is claimed.
    (2, "ka.sourceips[0] = 2001:db8::1 and ka.sourceip = 127.0.0.1 and ka.sourceip.claimed intersects (192.0.2.99)"),
    (3295, "ka.sourceip.claimed exists"),
    // Impersonation, allowed and refused; a member that the API server has had since 1.36.
    (2, "ka.impuser.name exists"),
    (1, "ka.response.code = 403 and ka.response.message contains 'cannot impersonate'"),
    (2, "jevt.value[/authenticationMetadata/impersonationConstraint] exists"),
    (51315, "ka.user.credential exists"),
    (2, "ka.useragent endswith ...TRUNCATED and len(ka.useragent) = 1036"),
    // Of 73 that were refused not all by the authorizer: admission refuses, too.
    (73, "ka.response.code = 403"),
    (64, "ka.auth.decision = forbid"),
    (22088, "ka.auth.binding exists"),
    // A body need not be an object, and an exec has none.
    (1, "jevt.value[/requestObject] startswith '['"),
    (0, "ka.verb = exec and jevt.value[/requestObject] exists"),
    (6, "ka.exec.command = 'sh -c uname -a; ls / | head -3'"),
    // RBAC's `bind` and `escalate` are never verbs: who binds a role makes a binding. An article's search for what the default
    // service account makes finds both stages of step A10.
    (0, "ka.verb in (bind, escalate)"),
    (
        2,
        "ka.target.resource = clusterroles and ka.verb = create and ka.user.name = system:serviceaccount:default:default",
    ),
    // A refused exec is a refused look at the pod: kubectl goes no further.
    (0, "ka.verb = exec and ka.response.code = 403"),
    (
        2,
        "ka.verb = get and ka.target.resource = pods and ka.target.name = victim and ka.response.code = 403 and ka.user.name = mallory and ka.useragent startswith kubectl",
    ),
];

#[test]
fn a_real_log_shows_what_it_shows() {
    let test = "a_real_log_shows_what_it_shows";
    let Some(shared) = shared() else { return skip(test, "no shared data") };
    let folder = tempfile::tempdir().unwrap();
    let reel = folder.path().join("facts.reel");
    let reel = reel.to_str().unwrap();
    let files = FILES.map(|name| shared.join("data/k8s/run2-full/log").join(name));
    let mut words: Vec<&str> = files.iter().flat_map(|file| ["-r", file.to_str().unwrap()]).collect();
    words.extend(["-q", "-w", reel]);
    sysreel(&words);
    let count = |filter: &str| sysreel(&["-r", reel, "-p", "*%evt.num", filter]).lines().count();
    let wrong: Vec<String> = FACTS
        .iter()
        .map(|(want, filter)| (want, count(filter), filter))
        .filter(|(want, found, _)| *want != found)
        .map(|(want, found, filter)| format!("expected {want}, found {found}: {filter}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Stages of a request are put together: the first has no name of its own and has that of the last.
    let of_new = "ka.target.resource = pods and jevt.value[/verb] = create and not ka.target.subresource exists and ka.stage = RequestReceived";
    assert_eq!(count(&format!("{of_new} and ka.target.name exists")), 0);
    assert!(count(&format!("{of_new} and ka.request.name exists")) >= 459);
    assert_eq!(count("ka.request.code = 401 and ka.request.stages = ResponseStarted"), 43);
}

/// A finished request about an object, with these members.
fn request(number: usize, verb: &str, resource: &str, rest: &str) -> String {
    let time = |micro: usize| format!("2026-11-21T21:00:{number:02}.{micro:06}Z");
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"00000000-0000-4000-8000-{number:012}","stage":"ResponseComplete","requestURI":"/x","verb":"{verb}","user":{{"username":"bob"}},"sourceIPs":["10.0.0.1"],"objectRef":{{{resource},"namespace":"prod","name":"db"}},"responseStatus":{{"code":200}},{rest},"requestReceivedTimestamp":"{}","stageTimestamp":"{}"}}"#,
        time(1),
        time(2)
    )
}

#[test]
fn contents_of_secrets_are_shown_only_if_that_is_asked_for() {
    let secret = r#""resource":"secrets""#;
    let body = |word: &str| {
        format!(
            r#"{{"kind":"Secret","metadata":{{"name":"db","labels":{{"a":"{}"}},"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{{\"data\":\"{word}\"}}"}}}},"data":{{"password":"{word}"}}}}"#,
            word.len()
        )
    };
    let merge = r#"{"stringData":{"password":"c2Vjcm0x"},"metadata":{"labels":{"b":"shown"}}}"#;
    let json = r#"[{"op":"replace","path":"/data/password","value":"c2Vjcm0y"}]"#;
    let token = r#"{"kind":"TokenRequest","spec":{"audiences":["shown"]},"status":{"token":"c2VjcmV0LjM"}}"#;
    let log = [
        request(1, "create", secret, &format!(r#""responseObject":{}"#, body("c2VjcmV0MQ=="))),
        request(2, "update", secret, &format!(r#""responseObject":{}"#, body("c2VjcmV0Mg=="))),
        request(3, "patch", secret, &format!(r#""requestObject":{merge}"#)),
        request(4, "patch", secret, &format!(r#""requestObject":{json}"#)),
        request(
            5,
            "create",
            r#""resource":"serviceaccounts","subresource":"token""#,
            &format!(r#""responseObject":{token}"#),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    std::fs::write(&path, log.join("\n") + "\n").unwrap();
    let history = |words: &str| sysreel(&["-r", path.to_str().unwrap(), "-c", "audit_history", words]);
    for object in ["secrets/prod/db", "serviceaccounts/prod/db"] {
        let hidden = history(object);
        assert!(!hidden.contains("c2Vj") && hidden.contains("bytes, hidden)"), "{hidden}");
        assert!(hidden.contains("shown") || hidden.contains("kind"), "{hidden}");
        let shown = history(&format!("{object} reveal"));
        assert!(shown.contains("c2Vj") && !shown.contains("hidden"), "{shown}");
    }
    let hidden = history("secrets/prod/db");
    for line in [
        "data.password: (12 bytes, hidden) -> (12 bytes, hidden)",
        "stringData.password: (8 bytes, hidden)",
        "replace /data/password: (8 bytes, hidden)",
        "metadata.labels.b: shown",
    ] {
        assert!(hidden.contains(line), "{line}\n{hidden}");
    }
}
