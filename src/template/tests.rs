//! Lines and objects made of known rows.

use super::{DEFAULT, Plan, Template};
use crate::field::Context;
use crate::field::sample::{Sample, batch, rows};

fn line(template: &str, sample: &Sample) -> Option<String> {
    let batch = batch(std::slice::from_ref(sample));
    let template = Template::parse(template).unwrap();
    let mut out = b"before:".to_vec();
    let written = template.write(&rows(&batch)[0], &Context::default(), &mut out);
    let mut planned = b"before:".to_vec();
    let mut plan = Plan::of(&template, false, &batch, &Context::default());
    assert_eq!(plan.write(&rows(&batch)[0], &Context::default(), &mut planned), written);
    assert_eq!(planned, out);
    let text = String::from_utf8(out).unwrap();
    written.then(|| text.strip_prefix("before:").unwrap().to_owned()).or_else(|| {
        assert_eq!(text, "before:");
        None
    })
}

fn read() -> Sample {
    Sample { ret: 5, desc: 1, ..Sample::new("read", 2) }.int("fd", 7).int("size", 4096).bytes("data", b"GET \x1b")
}

#[test]
fn lines_are_made_of_fields_widths_and_text() {
    for (template, want) in [
        (DEFAULT, Some("1 17:35:48.514632619 0 nginx (200) < read res=5 data=GET . fd=7(<f>/etc/passwd) size=4096")),
        ("%proc.name", Some("nginx")),
        ("[%8proc.name]", Some("[nginx   ]")),
        ("[%2proc.name]", Some("[ng]")),
        ("[%3evt.info]", Some("[res]")),
        ("[%12evt.outputtime]", Some("[17:35:48.514]")),
        ("%proc.names", Some("nginxs")),
        ("%proc.aname[1]/%proc.env[HOME]", Some("bash//root")),
        ("a\\tb\\nc\\\\d\\q", Some("a\tb\nc\\d\\q")),
        ("%fd.cip x", None),
        ("*%fd.cip x", Some("<NA> x")),
        ("%user.name", Some("www\\x1b[31m")),
        ("", Some("")),
    ] {
        assert_eq!(line(template, &read()).as_deref(), want, "{template}");
    }
}

#[test]
fn what_was_not_recorded_says_so_if_asked() {
    let of = |sample: &Sample, field: &str| {
        let batch = batch(std::slice::from_ref(sample));
        let template = Template::parse(&format!("*%{field}")).unwrap();
        let lines = [false, true].map(|tells_unrecorded| {
            let ctx = Context { tells_unrecorded, ..Context::default() };
            let mut out = Vec::new();
            Plan::of(&template, false, &batch, &ctx).write(&rows(&batch)[0], &ctx, &mut out);
            String::from_utf8(out).unwrap()
        });
        let [plain, told] = lines;
        assert!(plain == told || plain == "<NA>", "{plain}");
        told
    };
    let known = read();
    let unknown = Sample { thread: 4, desc: 0, duration: 0, ..Sample::new("read", 4) }.int("fd", 7);
    for (field, want_known, want_unknown) in [
        ("proc.name", "nginx", "not recorded"),
        ("proc.cwd", "/var/www/", "not recorded"),
        ("fd.name", "/etc/passwd", "not recorded"),
        ("fd.cip", "<NA>", "not recorded"),
        ("evt.latency", "1000", "not recorded"),
        ("evt.arg.size", "4096", "not recorded"),
        ("evt.buffer", "GET .", "not recorded"),
        ("proc.vmsize", "not recorded", "not recorded"),
        ("evt.arg.nothing", "<NA>", "<NA>"),
        ("fs.path.name", "<NA>", "<NA>"),
    ] {
        assert_eq!((of(&known, field).as_str(), of(&unknown, field).as_str()), (want_known, want_unknown), "{field}");
    }
    let failed = Sample { ret: -2, ..unknown };
    assert_eq!(of(&failed, "evt.buffer"), "<NA>");
}

#[test]
fn a_template_that_names_no_field_says_where_and_what_instead() {
    for (template, want) in [
        ("%evt.num %proc.nam", "unknown field `proc.nam` at byte 9 of the format\nhelp: did you mean `%proc.name`?"),
        (
            "*%",
            "expected a field name after `%`, found none at byte 1 of the format\nhelp: write `%evt.num`, or drop the `%`",
        ),
        (
            "%12",
            "expected a field name after `%`, found none at byte 0 of the format\nhelp: write `%evt.num`, or drop the `%`",
        ),
        (
            "%99999proc.name",
            "expected a width of at most 4096, found `99999` at byte 0 of the format\nhelp: write a smaller number",
        ),
        (
            "%evt.arg x",
            "field `evt.arg`: expected a name after a dot or a number in brackets, found none at byte 0 of the format\nhelp: `sysreel -l` lists all fields",
        ),
        (
            "%%",
            "expected a field name after `%`, found none at byte 0 of the format\nhelp: write `%evt.num`, or drop the `%`",
        ),
        (
            "%proc.aname[x]",
            "field `proc.aname`: expected nothing or a number in brackets, found `[x]` at byte 0 of the format\nhelp: `sysreel -l` lists all fields",
        ),
    ] {
        assert_eq!(Template::parse(template).unwrap_err().to_string(), want, "{template}");
    }
}

#[test]
fn json_has_each_field_once_sorted_and_typed() {
    let batch = batch(&[read()]);
    let template =
        Template::parse("%evt.num %proc.name %fd.cip %evt.failed %proc.aname %user.name %evt.num %evt.args").unwrap();
    let mut out = Vec::new();
    template.write_json(&rows(&batch)[0], &Context::default(), &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"evt.args":"res=5 data=GET . fd=7(<f>/etc/passwd) size=4096","evt.failed":false,"evt.num":1,"fd.cip":null,"proc.aname":["bash"],"proc.name":"nginx","user.name":"www\u001b[31m"}"#
    );
}

#[test]
fn lists_are_cut_as_data_is_and_not_inside_a_character() {
    let args = ["a".repeat(70), "bbbbbbbb\u{e9}x".to_owned(), "never shown".to_owned()].join("\0");
    let sample = Sample::new("execve", 2).bytes("args", args.as_bytes());
    let line = line("%evt.args", &sample).unwrap();
    assert!(line.contains(&format!(" args={}.bbbbbbbb... ", "a".repeat(70))), "{line}");
    let sample = Sample::new("execve", 2).bytes("args", b"-l\0/tmp\0");
    assert!(self::line("%evt.args", &sample).unwrap().contains(" args=-l./tmp. "));
}
