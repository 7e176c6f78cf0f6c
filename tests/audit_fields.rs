//! What a real API server's audit log shows, field by field: each fact was counted apart from this program, by walking the JSON.
//!
//! Which test has which of the twenty facts that were measured on that log (`FACTS` and what is behind it stand here):
//!
//! | | fact | test |
//! |---|---|---|
//! | 1 | streams are subresources, of create or get | `FACTS`; `audit.rs` A20 to A25 |
//! | 2 | a failed login is one event without a user | `FACTS`; `audit.rs` A02, A03 |
//! | 3 | who binds a role creates a binding | `FACTS`; `audit.rs` A10, A11 |
//! | 4 | a new object has no name at first | `FACTS`, and the stages at the end of its test |
//! | 5 | an audit id is the client's to choose | `FACTS`; `source::audit::reader` |
//! | 6 | a webhook's events come again, none is lost | `webhook.rs`: over kills and a full disk |
//! | 7 | a log is not in order of time | behind `FACTS`; `audit.rs`: in order of time |
//! | 8 | lines of megabytes | behind `FACTS`; `audit_live.rs`: long lines |
//! | 9 | who connected is the last address | `FACTS` |
//! | 10 | impersonation, and members that are new | `FACTS` |
//! | 11 | a credential has an id | `FACTS`; `audit.rs`: what is new of credentials |
//! | 12 | agents are cut, URIs escaped as Go does | `FACTS`; `event::audit::split` |
//! | 13 | a refused exec is a refused look at the pod | `FACTS`; `audit.rs` A22 |
//! | 14 | annotations by names with dots and slashes | `FACTS` |
//! | 15 | the command stands in the URI | `FACTS` |
//! | 16 | a request need not be an object | `FACTS` |
//! | 17 | items of a list have no kind | `webhook.rs`: read as files; `source::audit::reader` |
//! | 18 | a policy decides what can be found | `policy.rs`: what two articles' policies can never find |
//! | 19 | thresholds count a request once | `audit.rs`: thresholds find what they are said to |
//! | 20 | no user, an empty one and the anonymous one | `FACTS` |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says so"
)]

mod common;

use common::live::SYSREEL;
use common::{shared, skip};
use std::io::Read;
use std::path::Path;
use std::process::Command;
use sysreel::source::scap;

fn sysreel(words: &[&str]) -> String {
    let output = Command::new(SYSREEL).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> String {
    let mut text = String::new();
    scap::open(path).unwrap().read_to_string(&mut text).unwrap();
    text
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
    // Annotations have dots and slashes in their names; what took long tells where, in Go's words.
    (28515, "ka.annotation[authorization.k8s.io/decision] in (allow, forbid)"),
    (1533, "ka.annotation[pod-security.kubernetes.io/enforce-policy] exists"),
    (910, "ka.annotation[k8s.io/deprecated] exists"),
    (21, "ka.annotation[authentication.kubernetes.io/issued-credential-id] exists"),
    (664, "ka.annotation[apiserver.latency.k8s.io/total] exists"),
    (649, "ka.annotation[apiserver.latency.k8s.io/authorization] endswith µs"),
    // A request is received when it is received.
    (0, "ka.stage = RequestReceived and ka.latency > 0"),
    // The longest are lists of all pods.
    (73, "len(ka.raw) > 1048576"),
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
    // Nearly each tenth line was written behind a later one, and they are shown in order of time.
    let log: String = files.iter().map(|file| text(file)).collect();
    let is_before = |latest: &mut String, line: &str| {
        let time = line.rsplit_once("\"stageTimestamp\":\"").unwrap().1[..27].to_owned();
        let is_before = time < *latest;
        *latest = std::mem::take(latest).max(time);
        is_before
    };
    let mut latest = String::new();
    assert_eq!(log.lines().filter(|line| is_before(&mut latest, line)).count(), 3353);
    let times = sysreel(&["-r", reel, "-p", "%evt.rawtime"]);
    assert!(times.lines().map(|time| time.parse::<u64>().unwrap()).is_sorted() && times.lines().count() == 56414);
    // The longest line comes back byte for byte.
    let longest = log.lines().max_by_key(|line| line.len()).unwrap();
    let found = sysreel(&["-r", reel, "-p", "%ka.raw", &format!("len(ka.raw) = {}", longest.len())]);
    assert!(longest.len() == 2_249_708 && found.trim_end() == longest);
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
