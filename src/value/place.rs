//! [`Places`]: where addresses are and who runs their networks, as databases say (`MaxMind` DB format 2.0, `.mmdb`).

use maxminddb::Reader;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::HashMap;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError, RwLock};

/// Bytes that a database may have: what covers every city of the world has a tenth of it.
const MOST_BYTES: u64 = 1 << 30;
/// Addresses whose answers are kept; others are looked up each time.
const MOST_KNOWN: usize = 1 << 18;

/// A file that is no database of places.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: expected a database of places (MaxMind DB, .mmdb), found {found}\nhelp: GeoLite2, DB-IP and IPinfo have such files, one for countries and one for autonomous systems"
)]
pub struct PlacesError {
    /// The file.
    pub path: PathBuf,
    /// What is there instead.
    pub found: String,
}

/// What is known of an address; an address of a private network mostly has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Country, two letters (ISO 3166-1).
    pub country: Option<&'static str>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs it.
    pub org: Option<&'static str>,
}

/// Databases, and what they said before. They live as long as the program, so that their texts need not be copied.
pub struct Places {
    databases: Vec<(PathBuf, Reader<Vec<u8>>)>,
    known: RwLock<HashMap<IpAddr, Place>>,
    damage: OnceLock<String>,
}

impl Places {
    /// Reads databases; of several that know something the first one counts.
    ///
    /// # Errors
    /// A file cannot be read, or is no such database.
    pub fn open(paths: &[PathBuf]) -> Result<&'static Places, PlacesError> {
        let read = |path: &PathBuf| {
            let found = |found: String| PlacesError { path: path.clone(), found };
            let bytes = bytes_of(path).map_err(found)?;
            let reader = Reader::from_source(bytes).map_err(|error| found(error.to_string()))?;
            Ok((path.clone(), reader))
        };
        let databases = paths.iter().map(read).collect::<Result<_, PlacesError>>()?;
        Ok(Box::leak(Box::new(Places { databases, known: RwLock::default(), damage: OnceLock::new() })))
    }

    /// What is known of an address. IPv4 addresses that are written as IPv6 are those that they stand for.
    pub fn find(&'static self, ip: IpAddr) -> Place {
        let ip = ip.to_canonical();
        if let Some(place) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&ip) {
            return *place;
        }
        let place = self.databases.iter().fold(Place::default(), |known, (path, database)| {
            let said = said(database, ip).unwrap_or_else(|error| {
                self.damage.get_or_init(|| format!("{}: {ip}: {error}", path.display()));
                Place::default()
            });
            Place { country: known.country.or(said.country), asn: known.asn.or(said.asn), org: known.org.or(said.org) }
        });
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST_KNOWN {
            all.insert(ip, place);
        }
        place
    }

    /// The first record that could not be read, if there was one: addresses with it have no place.
    pub fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.databases.iter().map(|(path, _)| path)).finish()
    }
}

impl PartialEq for Places {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Places {}

/// A whole file, or what is wrong with it.
fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES { Err(format!("more than {} MiB", MOST_BYTES >> 20)) } else { Ok(bytes) }
}

/// A record of an address, as the databases of several makers have it: countries and systems as `MaxMind` and DB-IP write them, or
/// flat as `IPinfo` does.
#[derive(Deserialize, Default)]
struct Record<'a> {
    #[serde(borrow)]
    country: Option<Said<'a>>,
    #[serde(borrow)]
    country_code: Option<Said<'a>>,
    #[serde(borrow)]
    autonomous_system_number: Option<Said<'a>>,
    #[serde(borrow)]
    autonomous_system_organization: Option<Said<'a>>,
    #[serde(borrow)]
    asn: Option<Said<'a>>,
    #[serde(borrow)]
    as_name: Option<Said<'a>>,
}

/// A value of a record; what is of another sort is as good as none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said<'a> {
    Text(&'a str),
    Number(u32),
    Country { iso_code: &'a str },
    Other(IgnoredAny),
}

impl<'a> Said<'a> {
    fn text(&self) -> Option<&'a str> {
        match self {
            Said::Text(text) | Said::Country { iso_code: text } => Some(text),
            Said::Number(_) | Said::Other(_) => None,
        }
    }

    /// A number, also of a text such as `AS64496`.
    fn number(&self) -> Option<u32> {
        match self {
            Said::Number(number) => Some(*number),
            _ => self.text()?.trim_start_matches("AS").parse().ok(),
        }
    }
}

/// What one database says.
fn said(database: &'static Reader<Vec<u8>>, ip: IpAddr) -> Result<Place, maxminddb::MaxMindDbError> {
    if ip.is_ipv6() && database.metadata().ip_version == 4 {
        return Ok(Place::default());
    }
    let record = database.lookup(ip)?.decode::<Record<'static>>()?.unwrap_or_default();
    let text = |said: &Option<Said<'static>>| said.as_ref().and_then(Said::text);
    let number = |said: &Option<Said<'static>>| said.as_ref().and_then(Said::number);
    Ok(Place {
        // Flat ones have the name of the country where others have what is known of it.
        country: text(&record.country_code).or_else(|| text(&record.country)),
        asn: number(&record.autonomous_system_number).or_else(|| number(&record.asn)),
        org: text(&record.autonomous_system_organization).or_else(|| text(&record.as_name)),
    })
}
