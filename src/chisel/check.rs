//! A chisel checked as far as that goes without a capture, and what its examples are held against.

use super::{ArgDef, ArgType, Chisel, Error, Example, Library, Prepared, Style};
use std::path::{Path, PathBuf};

impl ArgDef {
    /// An argument that is of the type, for a check without a command line.
    fn sample(&self) -> String {
        let text = match self.ty {
            ArgType::String => "text",
            ArgType::Int | ArgType::Milliseconds => "1",
            ArgType::Field => "fd.name",
            ArgType::Filter => "evt.num exists",
            ArgType::Ipv4 | ArgType::Ip => "127.0.0.1",
            ArgType::Fields => "proc.name,fd.name",
        };
        let text = self.values.keys().next().map_or(text, String::as_str);
        self.default.clone().unwrap_or_else(|| text.to_owned())
    }
}

impl Example {
    /// The arguments as one word of a command line: one that holds blanks beside others is quoted.
    pub fn word(&self) -> String {
        let alone = self.args.len() == 1;
        let quoted = |arg: &String| if arg.contains(' ') && !alone { format!("'{arg}'") } else { arg.clone() };
        self.args.iter().map(quoted).collect::<Vec<_>>().join(" ")
    }
}

impl Chisel {
    /// Everything that is wrong with it: its fields, filter, format, examples, and the views it leads to.
    pub fn check(&self, library: &Library) -> Vec<Error> {
        let given: Vec<String> = self.args.iter().map(ArgDef::sample).collect();
        let mut wrong: Vec<Error> = self.prepare(&given, Style::default()).err().into_iter().collect();
        if self.about.trim().is_empty() {
            wrong.push(self.at("about", "expected one line in `about`, found none", "say what the chisel shows"));
        }
        for example in &self.examples {
            wrong.extend(self.prepare(&example.args, Style::default()).err());
        }
        if let Some(drill) = self.view.as_ref().and_then(|view| view.drill.as_deref())
            && drill != self.name
            && let Err(error) = library.find(drill)
        {
            let text = error.to_string();
            let (message, help) = text.split_once("\nhelp: ").unwrap_or((&text, "`sysreel -cl -v` lists the views"));
            wrong.push(self.at(drill, message, help));
        }
        wrong
    }

    /// The operator as its arguments' defaults make it, for what describes it.
    pub fn sampled(&self) -> Result<Prepared, Error> {
        let given: Vec<String> = self.args.iter().map(ArgDef::sample).collect();
        self.prepare(&given, Style::default())
    }

    /// Name of the file with what an example says, without a folder.
    pub fn expected(&self, example: usize) -> Option<String> {
        let named = self.examples.get(example)?.expect.clone();
        let made = || if example == 0 { self.name.clone() } else { format!("{}-{}", self.name, example + 1) };
        Some(format!("{}.txt", named.unwrap_or_else(made)))
    }

    /// The folder of its file; `None` for one that is built in.
    pub fn folder(&self) -> Option<PathBuf> {
        self.path.as_ref().map(|path| path.parent().unwrap_or(Path::new("")).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chisel(text: &str) -> Chisel {
        Chisel::parse("own", "own.toml", text).unwrap()
    }

    fn wrong(text: &str) -> Vec<String> {
        chisel(text).check(&Library::default()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_built_in_chisel_passes_its_check() {
        let library = Library::default();
        for chisel in library.all() {
            let chisel = chisel.unwrap();
            let wrong: Vec<String> = chisel.check(&library).iter().map(ToString::to_string).collect();
            assert!(wrong.is_empty(), "{}: {}", chisel.name, wrong.join("\n"));
        }
    }

    #[test]
    fn what_is_wrong_in_a_filter_is_shown_in_the_file() {
        let text = "about = \"x\"\ncategory = \"y\"\nfilter = \"fd.nam = 1 and proc.nme = a\"\n[lines]\nformat = \"%evt.num\"\n";
        assert_eq!(
            wrong(text),
            [
                "unknown field `fd.nam` in chisel own.toml, line 3\n  | filter = \"fd.nam = 1 and proc.nme = a\"\n  |           ^^^^^^\nhelp: did you mean `fd.name`?\nerror: unknown field `proc.nme` in chisel own.toml, line 3\n  | filter = \"fd.nam = 1 and proc.nme = a\"\n  |                          ^^^^^^^^\nhelp: did you mean `proc.name`?"
            ]
        );
    }

    #[test]
    fn a_view_that_is_not_there_is_shown_where_it_is_named() {
        let text = "about = \"x\"\ncategory = \"y\"\n[lines]\nformat = \"%evt.num\"\n[view]\nname = \"X\"\nkey = \"fd.name\"\ndrill = \"topprocs_fil\"\n";
        assert_eq!(
            wrong(text),
            [
                "unknown chisel `topprocs_fil` in chisel own.toml, line 8\n  | drill = \"topprocs_fil\"\n  |          ^^^^^^^^^^^^\nhelp: did you mean `topprocs_file`?"
            ]
        );
    }

    #[test]
    fn an_interval_that_is_none_is_shown_at_its_own_key() {
        let head = "about = \"x\"\ncategory = \"y\"\n";
        for (key, rest) in [
            ("within_ms", "[threshold]\ncount = 2\nby = [{ name = \"a\", field = \"evt.type\" }]\nwithin_ms = -1\n"),
            ("every_ms", "[series]\ncolumns = [{ name = \"N\", count = true }]\nevery_ms = 0\n"),
            (
                "learning_ms",
                "[first_seen]\nkey = { name = \"a\", field = \"proc.name\" }\nof = [{ name = \"b\", field = \"fd.name\" }]\ncolumns = [{ name = \"T\", field = \"evt.num\" }]\nlearning_ms = -1\n",
            ),
        ] {
            let said = wrong(&format!("{head}{rest}")).concat();
            assert!(
                said.starts_with("expected an interval of ") && said.contains(&format!("\n  | {key} = ")),
                "{said}"
            );
        }
    }
}
