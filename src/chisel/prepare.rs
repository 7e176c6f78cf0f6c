//! From a chisel and its arguments to a filter and an operator.

use super::{ArgType, Args, CaseDef, Chisel, Error, KeyDef, LinesDef, TableDef};
use crate::field::{FieldRef, lookup};
use crate::filter::{Binding, Bindings, Filter};
use crate::query::{Aggregate, How, Key, LineData, LinesQuery, Order, Query, TableQuery};
use crate::report::Unit;
use crate::template::Template;

/// A chisel with its arguments, ready to be asked.
#[derive(Clone)]
pub struct Prepared {
    /// Its own condition.
    pub filter: Option<Filter>,
    /// Its operator.
    pub query: Query,
}

/// What the command line adds to any chisel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// JSON lines instead of text lines.
    pub json: bool,
    /// Container columns (`-pc`).
    pub containers: bool,
    /// Events of the recorder itself are shown as lines, too.
    pub internal: bool,
}

impl Chisel {
    /// Checks the arguments and builds the question.
    pub fn prepare(&self, given: &[String], style: Style) -> Result<Prepared, Error> {
        let args = Args::check(&self.name, &self.args, given)?;
        let filter = self.filter.as_deref().map(|text| self.filter(text, &args)).transpose()?;
        let query = match (&self.table, &self.lines, &self.snapshot) {
            (Some(table), _, _) => {
                let query = Query::Table(self.table(table, &args, style)?);
                match &table.of {
                    Some(of) => Query::State(self.rows(of)?, Box::new(query)),
                    None => query,
                }
            }
            (None, Some(lines), _) => Query::Lines(self.lines(lines, &args, style)?),
            (None, None, Some(snapshot)) => self.snapshot(snapshot, &args, style)?,
            (None, None, None) => match &self.tree {
                Some(tree) => self.tree(tree, &args, style)?,
                None => self.of_events(&args, style)?,
            },
        };
        Ok(Prepared { filter, query })
    }

    fn lines(&self, lines: &LinesDef, args: &Args, style: Style) -> Result<LinesQuery, Error> {
        let format = lines.containers.as_ref().filter(|_| style.containers).unwrap_or(&lines.format);
        let parse = |text: &str| {
            Template::parse(text).map_err(|e| self.at("format", e.to_string(), "`sysreel -l` lists the fields"))
        };
        let data = lines.data.as_deref();
        let template = match data.filter(|_| style.json) {
            // JSON has the data as another field.
            Some(data) => parse(&format!("{format} %{data}"))?,
            None => parse(format)?,
        };
        let indent = lines.indent.as_deref().map(|field| self.field(field)).transpose()?;
        let case = |case: &CaseDef| Ok((self.filter(&case.only, args)?, parse(&case.format)?));
        let cases = lines.cases.iter().map(case).collect::<Result<_, Error>>()?;
        let data = data.map(|field| Ok(LineData { field: self.field(field)?, each: lines.each })).transpose()?;
        let (json, header, internal) = (style.json, lines.header.clone(), style.internal);
        Ok(LinesQuery { template, json, header, internal, indent, cases, data })
    }

    pub(super) fn table(&self, table: &TableDef, args: &Args, style: Style) -> Result<TableQuery, Error> {
        let mut keys = self.keys(&table.by, args)?;
        if style.containers && keys.iter().all(|k| k.field.field.name != "container.id") {
            keys.push(Key { name: "container.id".into(), field: self.field("container.id")? });
        }
        let values = table.columns.iter().map(|c| self.value(c, args)).collect::<Result<Vec<_>, _>>()?;
        let (name, descending) = match table.sort.strip_prefix('-') {
            Some(name) => (args.resolve(name), true),
            None => (args.resolve(&table.sort), false),
        };
        let names = values.iter().map(|v| &v.name).chain(keys.iter().map(|k| &k.name));
        let Some(column) = names.into_iter().position(|n| n == name) else {
            return Err(self.at(&table.sort, format!("no column `{name}` to sort by"), "give the `name` of a column"));
        };
        let order = Order { column, descending };
        let top = self.top(table.top.as_ref(), args)?;
        Ok(TableQuery { title: self.name.clone(), about: self.about.clone(), keys, values, order, top })
    }

    pub(super) fn top(&self, top: Option<&toml::Value>, args: &Args) -> Result<Option<usize>, Error> {
        let number = match top {
            None => return Ok(None),
            Some(toml::Value::Integer(n)) => usize::try_from(*n).ok(),
            Some(toml::Value::String(text)) => {
                text.strip_prefix('$').and_then(|name| args.get(name)).and_then(|(_, n)| n.parse().ok())
            }
            Some(_) => None,
        };
        match number {
            Some(n) => Ok(Some(n)),
            None => Err(self.at("top", "expected a number of rows", "give a number, or an argument of type int")),
        }
    }

    pub(super) fn value(&self, column: &super::AggregateDef, args: &Args) -> Result<Aggregate, Error> {
        let unit = column.unit.as_deref().map(|unit| args.resolve(unit));
        let unit = self.unit(unit)?;
        let (how, field) = match column.ways().next() {
            Some((how, field)) => (how, Some(self.argument_field(field, args)?)),
            None => (How::Count, None),
        };
        let and = column.and.iter().map(|field| self.argument_field(field, args)).collect::<Result<_, _>>()?;
        let only = column.only.as_deref().map(|text| self.filter(text, args)).transpose()?;
        let name = args.resolve(&column.name).to_owned();
        Ok(Aggregate { name, unit, how, field, and, only })
    }

    pub(super) fn unit(&self, name: Option<&str>) -> Result<Unit, Error> {
        let name = name.unwrap_or("none");
        let names = || Unit::NAMES.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", ");
        Unit::of_name(name)
            .ok_or_else(|| self.at(name, format!("unknown unit `{name}`"), format!("one of: {}", names())))
    }

    /// Fields to group by; an argument of type fields may name several, and another their headings.
    pub(super) fn keys(&self, defs: &[KeyDef], args: &Args) -> Result<Vec<Key>, Error> {
        let mut keys = Vec::new();
        for def in defs {
            let list = def.field.strip_prefix('$').and_then(|name| args.get(name));
            let Some((ArgType::Fields, list)) = list else {
                keys.push(self.key(def, args)?);
                continue;
            };
            let names: Vec<&str> = def.name.as_deref().map_or(Vec::new(), |n| args.resolve(n).split(',').collect());
            for (n, field) in list.split(',').map(str::trim).enumerate() {
                let name = names.get(n).map_or(field, |name| name.trim()).to_owned();
                keys.push(Key { name, field: self.given_field(field)? });
            }
        }
        Ok(keys)
    }

    pub(super) fn key(&self, key: &KeyDef, args: &Args) -> Result<Key, Error> {
        let field = self.argument_field(&key.field, args)?;
        let name = key.name.clone().unwrap_or_else(|| args.resolve(&key.field).to_owned());
        Ok(Key { name, field })
    }

    /// A field of the file, or of an argument.
    fn argument_field(&self, text: &str, args: &Args) -> Result<FieldRef, Error> {
        let Some(arg) = text.strip_prefix('$') else { return self.field(text) };
        match args.get(arg) {
            Some((ArgType::Field, text)) => self.given_field(text),
            _ => Err(self.no_argument(arg, args, "of type field")),
        }
    }

    /// A field that was given as an argument.
    fn given_field(&self, text: &str) -> Result<FieldRef, Error> {
        lookup(text).map_err(|e| Error::Argument {
            chisel: self.name.clone(),
            message: e.to_string(),
            help: suggest(&e),
        })
    }

    pub(super) fn field(&self, text: &str) -> Result<FieldRef, Error> {
        lookup(text).map_err(|e| self.at(text, e.to_string(), suggest(&e)))
    }

    fn no_argument(&self, name: &str, args: &Args, what: &str) -> Error {
        let help = match args.near(name) {
            Some(near) => format!("did you mean `${near}`?"),
            None => "declare it with [[arg]]".to_owned(),
        };
        self.at(&format!("${name}"), format!("no argument `{name}` {what}"), help)
    }

    pub(super) fn filter(&self, text: &str, args: &Args) -> Result<Filter, Error> {
        let bindings = args.iter().map(|(name, ty, value)| Ok((name.to_owned(), self.binding(ty, value)?)));
        let bindings = bindings.collect::<Result<Bindings, Error>>()?;
        Filter::parse_with(text, &bindings).map_err(|diagnostics| self.in_filter(&diagnostics))
    }

    /// What is wrong with the chisel's filter, in its file where the filter stands there letter by letter.
    fn in_filter(&self, diagnostics: &crate::filter::Diagnostics) -> Error {
        let Some(start) = self.text.find(&diagnostics.source) else {
            return Error::Filter { chisel: self.name.clone(), diagnostics: diagnostics.to_string() };
        };
        let place = |wrong: &crate::filter::Diagnostic| {
            let span = start + wrong.span.start..start + wrong.span.end;
            let help = wrong.help.clone().unwrap_or_else(|| "`sysreel -l` lists the fields".to_owned());
            super::Located::at(&self.origin, &self.text, span, wrong.message.clone(), help)
        };
        Error::Places(diagnostics.errors.iter().map(place).collect())
    }

    /// What an argument stands for in the filter.
    fn binding(&self, ty: ArgType, value: &str) -> Result<Binding, Error> {
        Ok(match ty {
            ArgType::Int | ArgType::Ipv4 | ArgType::Ip | ArgType::String | ArgType::Fields => {
                Binding::Constant(value.as_bytes().to_vec())
            }
            ArgType::Milliseconds => {
                let ns = (value.parse::<f64>().unwrap_or(0.0) * 1e6).round();
                Binding::Constant(format!("{ns:.0}").into_bytes())
            }
            ArgType::Field => Binding::Field(lookup(value).map_err(|e| Error::Argument {
                chisel: self.name.clone(),
                message: e.to_string(),
                help: suggest(&e),
            })?),
            ArgType::Filter => Binding::Filter(Box::new(Filter::parse(value).map_err(|diagnostics| {
                Error::Filter { chisel: self.name.clone(), diagnostics: diagnostics.to_string() }
            })?)),
        })
    }
}

fn suggest(error: &crate::field::Error) -> String {
    error.help()
}
