//! Values of fields: their types, and how they are written for people.

mod amount;
mod base64;
mod escape;
mod excerpt;
mod json;
mod leaves;
mod moment;
mod number;
mod place;
mod service;
mod texts;
mod time;
mod transform;
mod typed;
mod yaml;
mod zone;

pub use amount::{parse_duration, parse_size};
pub use base64::{read_base64, write_base64};
pub use escape::{is_plain, write_dots, write_escaped, write_json_string};
pub use excerpt::Excerpt;
pub use json::{
    JsonFault, JsonItem, JsonItems, json_blank, json_element, json_end, json_items, json_member, json_pointer,
    json_string, json_text, json_unescape, write_go_json,
};
pub use leaves::json_leaves;
pub use moment::Moment;
pub use number::{write_hex, write_i64, write_ip, write_oct, write_padded, write_ratio, write_ratio_short, write_u64};
pub use place::{Place, Places, PlacesError};
pub use service::{Services, port_of, service_names, service_of};
pub use texts::{Fixed, Texts, TextsOf};
pub use time::{Clock, write_date, write_time_of_day};
pub use transform::{TRANSFORMERS, Takes, Transformer, call_in, option as option_of};
pub use typed::{Type, Value};
pub use yaml::{YamlFault, YamlNode, YamlValue, parse_yaml};
pub use zone::{Zone, ZoneError};
