//! What filters mean, say and cost.

use super::{Binding, Bindings, Filter, Memo, Selection};
use crate::batch::Batch;
use crate::event::Flags;
use crate::field::Context;
use crate::field::sample::{Sample, batch, rows};
use proptest::prelude::*;

fn scene() -> Vec<Sample> {
    vec![
        Sample { ret: 5, desc: 1, duration: 20_000_001, ..Sample::new("read", 2) }
            .int("fd", 7)
            .bytes("data", b"HTTP/1.1"),
        Sample { ret: -2, ..Sample::new("openat", 1) }.bytes("name", b"/etc/shadow").int("flags", 0o100),
        Sample { ret: 0, desc: 2, ..Sample::new("connect", 2) }.int("fd", 9),
        Sample { ret: 10, desc: 3, cpu: 1, ..Sample::new("write", 3) }.int("fd", 4),
        Sample { duration: 0, ..Sample::new("procexit", 3) },
        Sample { ret: 1, flags: Flags::IN_FLIGHT, ..Sample::new("read", 4) }.int("fd", 0),
    ]
}

/// Numbers (from 1) of the rows of the scene that match.
#[track_caller]
fn matching(filter: &str) -> Vec<usize> {
    let batch = batch(&scene());
    let filter = Filter::parse(filter).unwrap_or_else(|e| panic!("{e}"));
    agree(&filter, &mut Memo::default(), &batch);
    filter
        .select(&mut Memo::default(), &batch, &Context::default())
        .unwrap()
        .to_rows(&batch)
        .unwrap()
        .iter()
        .map(|i| i + 1)
        .collect()
}

/// The vectorised answer is the plain one, in every form that a selection has.
#[track_caller]
fn agree(filter: &Filter, memo: &mut Memo, batch: &Batch) {
    let ctx = Context::default();
    let plain: Vec<usize> = rows(batch).iter().filter(|r| filter.matches(r, &ctx)).map(|r| r.index).collect();
    let selection: Selection = filter.select(memo, batch, &ctx).unwrap();
    let selected: Vec<usize> = selection.to_rows(batch).unwrap().iter().collect();
    assert_eq!(selected, plain, "{filter}");
    let mut seen = Vec::new();
    selection
        .for_each_row(batch, |row| {
            let same = rows(batch)[row.index];
            assert_eq!((row.kind, row.position, row.thread), (same.kind, same.position, same.thread));
            seen.push(row.index);
        })
        .unwrap();
    assert_eq!(seen, plain, "{filter}");
    assert_eq!(selection.count(batch).unwrap(), plain.len(), "{filter}");
    if !filter.may_match(memo, batch.head(), batch.schema(), batch.dict()) {
        assert!(plain.is_empty(), "{filter}");
    }
    assert!(filter.may_match_head(batch.head(), batch.schema()) || plain.is_empty(), "{filter}");
}

#[test]
fn checks_mean_what_sysdig_says_they_mean() {
    for (filter, want) in [
        ("evt.type = read", &[1, 6][..]),
        ("evt.type in (read, write)", &[1, 4, 6]),
        ("proc.name = nginx", &[1, 3]),
        ("proc.name=nginx and evt.type=read", &[1]),
        ("proc.name=nginx or evt.type=read", &[1, 3, 6]),
        ("not proc.name = nginx", &[2, 4, 5, 6]),
        ("proc.name != nginx", &[2, 4, 5]),
        ("fd.name != /etc/passwd", &[3, 4]),
        ("not fd.name = /etc/passwd", &[2, 3, 4, 5, 6]),
        ("fd.name exists", &[1, 3, 4]),
        ("not fd.name exists", &[2, 5, 6]),
        ("fd.ip = 10.0.0.1", &[3]),
        ("fd.ip = 10.0.0.2", &[3]),
        ("fd.ip != 10.0.0.2", &[4]),
        ("fd.ip != 1.1.1.1", &[3, 4]),
        ("fd.port in (80, 443)", &[3, 4]),
        ("fd.port < 1000", &[3, 4]),
        ("fd.net = 10.0.0.0/8", &[3]),
        ("evt.failed = true", &[2]),
        ("evt.rawres > 0", &[1, 4]),
        ("evt.latency > 10ms", &[1]),
        ("evt.latency exists", &[1, 2, 3, 4, 6]),
        ("evt.dir = <", &[1, 2, 3, 4, 5]),
        ("evt.dir = >", &[6]),
        ("evt.cpu = 1", &[4]),
        ("evt.num >= 3 and evt.num < 5", &[3, 4]),
        ("evt.res = ENOENT", &[2]),
        ("evt.arg.name contains shadow", &[2]),
        ("evt.rawarg.flags = 0x40", &[2]),
        ("evt.buffer startswith HTTP", &[1]),
        ("evt.is_io = true and evt.rawres >= 10", &[4]),
        ("proc.aname = bash", &[1, 3, 4, 5]),
        ("proc.name icontains GIN", &[1, 3]),
        ("proc.name endswith sh or fd.sport = 443", &[2, 3]),
        ("evt.category = net", &[3, 4]),
        ("user.uid = 0", &[2]),
        ("not (evt.type = read or proc.name = bash)", &[3, 4, 5]),
        ("not not evt.type = read", &[1, 6]),
        ("evt.type = read and (proc.name = nginx or evt.num = 6)", &[1, 6]),
        ("evt.type = read or proc.name = nginx and fd.num = 9", &[1, 3, 6]),
        ("proc.name in ()", &[]),
        ("evt.info contains ENOENT", &[2]),
        ("fd.name glob /etc/*", &[1]),
        ("proc.name iglob NG*", &[1, 3]),
        ("proc.name regex 'ng.nx|zsh'", &[1, 3]),
        ("proc.name regex ngin", &[]),
        ("evt.buffer bcontains 485454", &[1]),
        ("evt.buffer bstartswith 5454", &[]),
        ("fd.name pmatch (/usr, /etc)", &[1]),
        ("fd.name pmatch (/etc/pass)", &[]),
        ("proc.aname intersects (bash, zsh)", &[1, 3, 4, 5]),
        ("proc.name startswith oneof (n, ng)", &[]),
        ("proc.name startswith oneof (n, b)", &[1, 2, 3]),
        ("proc.name startswith anyof (n, ng)", &[1, 3]),
        ("proc.name startswith allof (n, ngi)", &[1, 3]),
        ("proc.name startswith allof ()", &[]),
        ("proc.name != allof (nginx, bash)", &[4, 5]),
        ("proc.name = val(proc.aname[0])", &[1, 2, 3]),
        ("proc.name = val(proc.pname)", &[]),
        ("proc.pname in (bash) and proc.pname != val(proc.name)", &[1, 3, 4, 5]),
        ("fd.sport > val(fd.cport)", &[]),
        ("fd.sport < val(fd.cport)", &[3]),
        ("evt.rawres < val(fd.num)", &[1, 3]),
        ("evt.rawres = val(evt.cpu)", &[3]),
        ("toupper(proc.name) = NGINX", &[1, 3]),
        ("basename(fd.name) = passwd", &[1]),
        ("len(proc.name) = 5", &[1, 3]),
        ("len(evt.buffer) >= 8B", &[1]),
        ("len(proc.aname) >= 1", &[1, 3, 4, 5]),
        ("concat(proc.name, ':', evt.type) = 'nginx:read'", &[1]),
        ("join('/', (proc.name, proc.pname)) = 'nginx/bash'", &[1, 3]),
        ("tolower(toupper(proc.name)) = val(proc.name)", &[1, 2, 3, 4, 5]),
        ("getopt('-v -o x', 'vo:')[o] = x and evt.num = 1", &[1]),
        ("getopt('-v', 'v') in (v, '') and evt.num = 1", &[1]),
        ("getopt('-v', 'v') in (v) and evt.num = 1", &[]),
        ("b64('aGk=') = hi and evt.num = 2", &[2]),
        ("not tolower(fd.name) exists", &[2, 5, 6]),
        ("evt.rawtime >= 2018-08-17T00:00:00Z", &[1, 2, 3, 4, 5, 6]),
        ("evt.rawtime < '2018-08-17T00:00:00Z'", &[]),
        ("proc.name = oneof", &[]),
    ] {
        assert_eq!(matching(filter), want, "{filter}");
    }
}

#[test]
fn filters_print_as_they_are_read() {
    for (text, want) in [
        ("evt.type=read", "evt.type = read"),
        ("(a)", ""),
        ("not(evt.type=read)and(proc.name='a b')", "not evt.type = read and proc.name = \"a b\""),
        ("(evt.num=1 or evt.num=2) and evt.num=3", "(evt.num = 1 or evt.num = 2) and evt.num = 3"),
        ("((evt.num=1 and evt.num=2) and evt.num=3)", "evt.num = 1 and evt.num = 2 and evt.num = 3"),
        ("not (evt.num=1 and evt.num=2)", "not (evt.num = 1 and evt.num = 2)"),
        ("proc.name = \"\\x1b\\\"'\"", "proc.name = \"\\x1b\\\"'\""),
        ("proc.name in (a,\"b c\" , 'd')", "proc.name in (a, \"b c\", d)"),
        ("evt.arg[0] exists", "evt.arg[0] exists"),
        ("fd.name = ''", "fd.name = \"\""),
        ("proc.name=oneof(a,b)", "proc.name = oneof (a, b)"),
        ("proc.name = 'oneof'", "proc.name = \"oneof\""),
        ("tolower( proc.name )=val( proc.pname )", "tolower(proc.name) = val(proc.pname)"),
        ("join(',',(proc.name,'x'))=a", "join(\",\", (proc.name, \"x\")) = a"),
        ("proc.name = toupper(proc.pname)", "proc.name = toupper(proc.pname)"),
        ("getopt(proc.args, 'o:')[o] = x", "getopt(proc.args, \"o:\")[\"o\"] = x"),
        ("fd.name pmatch (/a/*)", "fd.name pmatch (/a/*)"),
    ] {
        if want.is_empty() {
            assert!(Filter::parse(text).is_err());
            continue;
        }
        let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(filter.to_string(), want);
    }
}

#[test]
fn a_batch_is_ruled_out_by_its_head() {
    let batch = batch(&scene());
    for (filter, want) in [
        ("evt.type = clone", false),
        ("evt.type = read", true),
        ("proc.name = nobody", false),
        ("proc.name = nobody or evt.type = read", true),
        ("fd.name = /nowhere", false),
        ("not fd.name = /nowhere", true),
        ("evt.type = procexit and evt.rawres > 0", false),
        ("not proc.name exists and evt.type = clone", false),
        ("evt.rawtime < 1534527348514632619", false),
        ("evt.rawtime <= 1534527348514632619", true),
        ("not evt.rawtime > 5 and evt.type = read", false),
    ] {
        let filter = Filter::parse(filter).unwrap();
        let may = filter.may_match(&mut Memo::default(), batch.head(), batch.schema(), batch.dict());
        assert_eq!(may, want, "{filter}");
    }
}

#[test]
fn too_deep_and_too_long_filters_are_refused() {
    let deep = format!("{}evt.num=1{}", "(".repeat(101), ")".repeat(101));
    assert!(Filter::parse(&deep).unwrap_err().to_string().contains("nested parentheses"));
    assert!(Filter::parse(&deep[1..deep.len() - 1]).is_ok());
    assert!(Filter::parse(&" ".repeat(2 << 20)).is_err());
    assert!(Filter::parse(&format!("{}evt.num=1", "not ".repeat(100_000))).is_ok());
    assert!(Filter::parse("proc.name = a\0b").is_err(), "no name has a NUL, and none can be written");
}

#[test]
fn diagnostics_are_as_recorded() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/diagnostics");
    for (name, filter) in [
        ("unknown_field", "fd.type = file and proc.nam = nginx"),
        ("two_errors", "proc.nam = nginx and evt.type = opena"),
        ("unknown_operator", "proc.name continas x"),
        ("no_operator", "proc.name"),
        ("no_value", "proc.name = "),
        (
            "bad_values",
            "fd.sport = httpx and fd.cip = 999.1.1.1 and evt.failed = yes and fd.net = 10.0.0.0 and evt.latency > soon",
        ),
        ("operator_of_another_type", "fd.sport contains 4"),
        ("bad_patterns", "proc.name regex '(' and proc.name regex 'a{2,1}' and evt.buffer bcontains 4g"),
        (
            "bad_transformers",
            "tolowr(proc.name) = a and len(fd.sport) > 1 and concat(proc.name) = a and val(proc.name) = a",
        ),
        (
            "bad_right_side",
            "proc.name = val(proc.pid) and proc.name regex val(proc.pname) and proc.name = val(proc.aname) \
             and proc.name = tolowr(proc.pname) and fd.net = val(fd.ip) and proc.name = val(a, b)",
        ),
        ("open_parenthesis", "evt.type = read and (proc.name = a or proc.name = b"),
        ("extra_parenthesis", "evt.type = read) and proc.nam = a"),
        ("open_quote", "proc.name = \"tmux: server"),
        ("unquoted_blank", "proc.name = tmux: server"),
        ("signs_for_words", "proc.name = a && fd.num = 1 || fd.num = 2 and ! fd.num = 3"),
        ("nothing_between", "evt.type = open evt.type = close"),
        ("quantifier_alone", "proc.name oneof (a, b)"),
        ("bad_escape", "proc.name = \"a\\qb\""),
        ("bad_list", "proc.name in (a b)"),
        ("bad_argument", "proc.aname[x] = a and proc.name[1] = b and evt.arg = c"),
        ("empty", "  "),
        ("words_alone", "and or evt.type = read or or proc.name = a and exists"),
        ("bad_service", "fd.sport = htps"),
        ("list_without_values", "proc.name in (,) and fd.num in (1,) and proc.nam = 1"),
        ("four_at_once", "fd.typ = file and evt.type = opn and proc.pid = x and proc.name contians y"),
        ("second_line", "evt.type = read\nand proc.nme = a\nand fd.num = 1"),
        ("escape_sequence", "proc.name = a and \u{1b}[31m = 1"),
    ] {
        let got = format!("{}\n", Filter::parse(filter).unwrap_err());
        assert!(!got.contains('\x1b'));
        let path = dir.join(format!("{name}.txt"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(&path, &got).unwrap();
        }
        let want = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(got, want, "{name}: BLESS=1 records it");
    }
}

#[test]
fn what_is_probably_not_meant_is_told() {
    let told = |text: &str| {
        let filter = Filter::parse(text).unwrap();
        filter.warnings().iter().map(|w| (text[w.span.clone()].to_owned(), w.help.clone().unwrap())).collect::<Vec<_>>()
    };
    let with = |place: &str, help: &str| vec![(place.to_owned(), help.to_owned())];
    assert_eq!(
        told("proc.name = proc.pname"),
        with("proc.pname", "write `val(proc.pname)` for the field, or quote the text")
    );
    assert_eq!(told("proc.name = 'proc.pname'"), []);
    assert_eq!(told("proc.name regex .*sh"), with(".*sh", "write `proc.name endswith sh`"));
    assert_eq!(told("proc.name regex '.*[.]sh'"), []);
    assert_eq!(told("proc.name = bash.sh"), []);
    assert_eq!(told("proc.name glob *sh"), with("*sh", "write `proc.name endswith sh`"));
    assert_eq!(told("proc.name glob 'a b*'"), with("'a b*'", "write `proc.name startswith \"a b\"`"));
    assert_eq!(told("proc.name glob a?c"), []);
    assert_eq!(
        told("proc.name = 'tolower(proc.pname)'"),
        with("'tolower(proc.pname)'", "write it without quotes for what it makes")
    );
    assert_eq!(told("fd.type = fil"), with("fil", "did you mean `file`?"));
    assert_eq!(told("fd.l4proto in (tcp, sctp6)"), with("sctp6", "one of tcp udp icmp raw"));
    assert_eq!(told("evt.category contains x"), []);
    assert_eq!(told("evt.res = ENOENTT"), with("ENOENTT", "did you mean `ENOENT`?"));
    assert_eq!(told("evt.res in (SUCCESS, ENOENT, -531)"), []);
    assert_eq!(told("evt.dir = >"), with(">", "leave it out; --enter shows where calls began, too"));
    assert_eq!(told("evt.dir = <"), []);
    assert_eq!(told("evt.arg.nam = x"), with("evt.arg.nam", "did you mean `evt.arg.name`?"));
}

const CHECKS: &[&str] = &[
    "proc.name glob *n*",
    "evt.buffer contains HT",
    "evt.buffer icontains htTP",
    "evt.buffer bcontains 50",
    "evt.buffer contains anyof (1, TT)",
    "evt.buffer contains oneof (1, TT, P)",
    "evt.buffer startswith H",
    "evt.buffer = ''",
    "evt.buffer != HTTP",
    "evt.buffer contains ''",
    "evt.buffer regex 'H.*1'",
    "evt.arg.data contains H.T",
    "evt.arg.data contains '..'",
    "evt.arg.data icontains NuL",
    "evt.arg.data contains P",
    "evt.arg.data != HTTP",
    "evt.rawarg.data endswith 1",
    "len(evt.buffer) = 4",
    "fd.name regex '/.*w.*'",
    "fd.name pmatch (/etc, /v*)",
    "proc.aname intersects (bash)",
    "proc.name startswith oneof (n, ng)",
    "evt.rawres != allof (0, 1)",
    "proc.name = val(proc.pname)",
    "evt.rawres > val(fd.num)",
    "evt.latency > val(evt.rawres)",
    "len(fd.name) > 4",
    "toupper(proc.name) = NGINX",
    "concat(evt.type, proc.name) endswith nginx",
    "basename(evt.arg.name) = abc",
    "evt.type = read",
    "evt.type in (write, openat)",
    "proc.name = nginx",
    "proc.name = bash",
    "proc.aname[1] = bash",
    "user.uid = 0",
    "fd.name = /etc/passwd",
    "fd.type exists",
    "fd.port = 443",
    "fd.ip != 10.0.0.1",
    "evt.rawres > 0",
    "evt.failed = true",
    "evt.latency >= 500",
    "evt.dir = >",
    "evt.num < 20",
    "evt.cpu = 1",
    "evt.rawtime > 50",
    "evt.rawtime < 30",
    "evt.rawres != 0",
    "evt.rawres in (-2, 3)",
    "evt.cpu in (0, 2)",
    "evt.latency < 0",
    "evt.num <= 18446744073709551615",
    "fd.num = 1",
    "evt.arg.name contains a",
    "evt.buflen > 1",
    "evt.category = file",
    "evt.is_io = true",
    "ka.verb = delete",
    "ka.verb in (get, create)",
    "ka.verb != get",
    "ka.user.name startswith system:",
    "ka.user.name exists",
    "ka.target.subresource = exec",
    "ka.response.code >= 400",
    "ka.response.code != 200",
    "ka.response.code in (200, 403)",
    "ka.response.code > allof (200, 300)",
    "ka.response.code exists",
    "ka.latency > 500",
    "ka.latency exists",
    "ka.action = exec",
    "ka.action != get",
    "ka.action exists",
    "ka.verb = exec",
    "ka.action in (exec, delete)",
    "ka.verb != exec",
    "ka.auth.decision = forbid",
    "ka.auth.decision != forbid",
    "ka.annotation exists",
    "ka.sourceip = 10.0.0.1",
    "ka.sourceip != 10.0.0.1",
    "ka.sourceip.claimed exists",
    "ka.sourceips intersects (9.9.9.9, 8.8.8.8)",
    "ka.sourceips[0] = 9.9.9.9",
    "ka.user.groups intersects (ops)",
];

fn any_filter() -> impl Strategy<Value = String> {
    let check = prop::sample::select(CHECKS).prop_map(str::to_owned);
    check.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|p| format!("({})", p.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|p| format!("({})", p.join(" or "))),
            inner.prop_map(|p| format!("not ({p})")),
        ]
    })
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let kinds =
        prop::sample::select(&["read", "write", "openat", "connect", "close", "procexit", "execve", "k8saudit"][..]);
    let parts = (kinds, 0u32..5, 0u64..100, 0u16..4, -3i64..4, 0u64..1000, 0u32..6, 0u8..20, 0i64..3);
    parts.prop_map(|(kind, thread, time, cpu, ret, duration, desc, flag, n)| {
        let flags = if flag == 0 { Flags::IN_FLIGHT } else { Flags::default() };
        let sample = Sample { time, cpu, ret, duration, desc, flags, ..Sample::new(kind, thread) };
        let sample = match (kind, n) {
            ("read" | "write", 2) => sample.bytes("data", [&b"HTTP"[..], b"TT\x001", b"H\x80TP1", b""][cpu as usize]),
            ("write", 1) => sample.bytes("data", b"P1HT"),
            _ => sample,
        };
        match kind {
            "k8saudit" => audit(sample, ret, n),
            "read" | "write" | "close" | "connect" if n > 0 => sample.int("fd", n),
            "openat" if n > 0 => sample.bytes("name", b"abc").int("flags", n),
            _ => sample,
        }
    })
}

/// An audit event; some have no answer, and some no user.
fn audit(sample: Sample, which: i64, n: i64) -> Sample {
    let verb = [&b"get"[..], b"delete", b"create"][n as usize];
    let ips = [&br#"["10.0.0.1"]"#[..], br#"["9.9.9.9","10.0.0.1"]"#, br#"["9.9.9.9"#][n as usize];
    let sample = sample.bytes("verb", verb).bytes("form", b"{}").bytes("ips", ips);
    match which {
        -3 => sample.bytes("user", b"system:node").int("code", 200).bytes("subresource", b"exec"),
        -2 => {
            sample.bytes("user", b"").int("code", 403).bytes("notes", br#"{"authorization.k8s.io/decision":"forbid"}"#)
        }
        -1 => sample.int("code", 401),
        0 => sample.bytes("user", b"alice").int("code", 0).bytes("account", br#"{"groups":["dev","ops"]}"#),
        _ => sample.bytes("user", b"alice"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_vectorised_filter_is_the_plain_one(text in any_filter(), samples in prop::collection::vec(any_sample(), 0..150)) {
        let filter = Filter::parse(&text).unwrap();
        let mut memo = Memo::default();
        agree(&filter, &mut memo, &batch(&samples));
        // The same memo over another segment must not remember this one.
        agree(&filter, &mut memo, &batch(&samples[samples.len() / 2..]));
    }

    #[test]
    fn printing_and_parsing_is_a_fixpoint(text in any_filter()) {
        let first = Filter::parse(&text).unwrap();
        let again = Filter::parse(&first.to_string()).unwrap();
        prop_assert_eq!(first.expr(), again.expr());
        prop_assert_eq!(first.to_string(), again.to_string());
    }

    #[test]
    fn any_text_as_a_constant_survives_printing(name in prop::collection::vec(1u8.., 0..12)) {
        let quoted = name.iter().fold(String::new(), |text, b| text + &format!("\\x{b:02x}"));
        let filter = Filter::parse(&format!("proc.name = '{quoted}'")).unwrap();
        let again = Filter::parse(&filter.to_string()).unwrap();
        prop_assert_eq!(filter.expr(), again.expr());
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[a-z.=<>()\"'\\\\ \\[\\]ändortype1-]{0,60}") {
        if let Err(diagnostics) = Filter::parse(&text) {
            prop_assert!(!diagnostics.errors.is_empty());
            prop_assert!(diagnostics.to_string().starts_with("error: "));
        }
    }
}

#[test]
fn parameters_stand_for_values_fields_and_conditions_and_never_for_text() {
    let bindings: Bindings = [
        ("who".to_owned(), Binding::Constant(b"a\" or evt.num > 0 or proc.name = \"b".to_vec())),
        ("key".to_owned(), Binding::Field(crate::field::lookup("fd.name").unwrap())),
        ("all".to_owned(), Binding::Filter(Box::new(Filter::parse("evt.num = 1 or evt.num = 2").unwrap()))),
    ]
    .into();
    let with =
        |text: &str| Filter::parse_with(text, &bindings).map(|f| f.expr().to_string()).map_err(|e| e.to_string());
    assert_eq!(
        with("proc.name = $who and $key contains x").unwrap(),
        r#"proc.name = "a\" or evt.num > 0 or proc.name = \"b" and fd.name contains x"#
    );
    assert_eq!(with("$all and evt.cpu in ($who)").unwrap_err().lines().next().unwrap().matches("expected").count(), 1);
    assert_eq!(with("not $all").unwrap(), "not (evt.num = 1 or evt.num = 2)");
    for (text, want) in [
        ("proc.name = $whom", "did you mean `$who`?"),
        ("proc.name = $all", "expected a value, found the argument `$all`"),
        ("$who = 1", "expected a field, found the argument `$who`"),
    ] {
        assert!(with(text).unwrap_err().contains(want), "{text}: {:?}", with(text));
    }
    assert!(Filter::parse("proc.name = $who").is_ok(), "elsewhere it is a character like others");
}
