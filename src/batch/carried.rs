//! [`Carried`]: values that a stage between reader and question adds to the rows of a batch, because they depend on rows before.

/// Stands for "no value".
pub const NOT_CARRIED: i64 = i64::MIN;

/// Columns by the number of what they carry, one value for each row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    numbers: Vec<(u8, Vec<i64>)>,
    /// Places in `texts` plus 1; 0 for none.
    places: Vec<(u8, Vec<u32>)>,
    texts: Vec<Box<[u8]>>,
}

impl Carried {
    /// Adds a column of numbers, [`NOT_CARRIED`] where there is none.
    pub fn add_numbers(&mut self, of: u8, values: Vec<i64>) {
        self.numbers.push((of, values));
    }

    /// Adds a column of texts: places in what [`Carried::set_texts`] gives, plus 1; 0 for none.
    pub fn add_texts(&mut self, of: u8, places: Vec<u32>) {
        self.places.push((of, places));
    }

    /// Sets the texts of all columns.
    pub fn set_texts(&mut self, texts: Vec<Box<[u8]>>) {
        self.texts = texts;
    }

    /// The number of a row.
    pub fn number(&self, of: u8, row: usize) -> Option<i64> {
        let (_, values) = self.numbers.iter().find(|(carried, _)| *carried == of)?;
        values.get(row).copied().filter(|value| *value != NOT_CARRIED)
    }

    /// The text of a row.
    pub fn text(&self, of: u8, row: usize) -> Option<&[u8]> {
        let (_, places) = self.places.iter().find(|(carried, _)| *carried == of)?;
        let place = places.get(row)?.checked_sub(1)?;
        self.texts.get(place as usize).map(|text| &**text)
    }
}
