//! Reads one `when` of a rules file.
//!
//! A table asks that all its keys hold. Keys: a column of the event, `attributes`, or one of the words in [`read_word`].
//! A value is one text or number, a list of them (any of), or a table: `{ present = true }`, `{ min = 400, max = 499 }`,
//! `{ starts_with = […] }`, `{ contains = […] }`, `{ has = […] }`, `{ lacks = […] }`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::access::{Shape, shape_of};
use super::condition::{Condition, Test};
use super::facts::Step;
use super::parse::Reader;
use super::urls::Difference;
use crate::event::vocabulary::ClosedEnum;
use crate::event::{EventKind, FieldId};

type Value<'i> = Spanned<DeValue<'i>>;

/// Reads a table of conditions that must all hold; `None` after a fault.
pub fn read_condition(reader: &mut Reader, value: &Value<'_>) -> Option<Condition> {
    let DeValue::Table(table) = value.get_ref() else {
        reader.fault(value.span(), "a condition is a table".to_owned());
        return None;
    };
    // Every key is read even after a fault, so that all faults are named.
    let parts: Vec<Option<Condition>> = table
        .iter()
        .map(|(key, value)| {
            let word = key.get_ref().as_ref();
            read_word(reader, word, value).or_else(|| {
                let field = FieldId::from_column(word);
                if field.is_none() {
                    reader.fault(key.span(), format!("unknown condition or field `{word}`"));
                }
                field.map(|field| read_field(reader, field, value))
            })?
        })
        .collect();
    let mut parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
    parts.sort_by_key(Condition::cost);
    Some(Condition::All(parts))
}

/// Reads a condition that is no column. The outer `None`: not such a word; the inner: a fault.
fn read_word(reader: &mut Reader, word: &str, value: &Value<'_>) -> Option<Option<Condition>> {
    let condition = match word {
        "any" => read_parts(reader, word, value).map(Condition::Any),
        "all" => read_parts(reader, word, value).map(Condition::All),
        "not" => read_condition(reader, value).map(|part| Condition::Not(Box::new(part))),
        "text" => read_patterns(reader, value).map(Condition::Text),
        "not_text" => read_patterns(reader, value).map(|patterns| Condition::Not(Box::new(Condition::Text(patterns)))),
        "step" => read_steps(reader, value).map(Condition::Step),
        "type" => read_types(reader, value).map(Condition::Type),
        "code" => texts(reader, word, value).map(Condition::Code),
        "status" => numbers(reader, word, value).map(Condition::Status),
        "rpc_code" => numbers(reader, word, value).map(Condition::RpcCode),
        "attributes" => read_attributes(reader, value),
        "urls" => read_urls(reader, value),
        "text_urls" => read_differences(reader, value).map(Condition::TextUrls),
        "internal_host" => read_internal_host(reader, value),
        "user_missing" => only_true(reader, word, value).map(|()| Condition::UserMissing),
        "scope_missing" => read_scope_missing(reader, value),
        "config_behind" => only_true(reader, word, value).map(|()| Condition::ConfigBehind),
        "ends_well" => only_true(reader, word, value).map(|()| Condition::EndsWell),
        _ => return None,
    };
    Some(condition)
}

fn read_parts(reader: &mut Reader, word: &str, value: &Value<'_>) -> Option<Vec<Condition>> {
    let list = value.get_ref().as_array().map_or_else(Vec::new, |list| list.iter().collect());
    if list.is_empty() {
        reader.fault(value.span(), format!("`{word}` needs at least one condition"));
        return None;
    }
    let parts: Vec<_> = list.into_iter().map(|part| read_condition(reader, part)).collect();
    parts.into_iter().collect()
}

fn read_patterns(reader: &mut Reader, value: &Value<'_>) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    let mut sound = true;
    for part in each(value) {
        let Some(expression) = part.get_ref().as_str() else {
            reader.fault(part.span(), "`text` wants regexes".to_owned());
            sound = false;
            continue;
        };
        let added = match reader.spelled_out(expression) {
            Ok(spelled) => {
                reader.patterns.add(&spelled).map_err(|problem| format!("bad regex `{expression}`: {problem}"))
            }
            Err(word) => Err(format!("unknown word `<{word}>` in `{expression}`: name it under [words]")),
        };
        match added {
            Ok(number) => numbers.push(number),
            Err(problem) => {
                reader.fault(part.span(), problem);
                sound = false;
            }
        }
    }
    if sound && numbers.is_empty() {
        reader.fault(value.span(), "`text` needs at least one regex".to_owned());
        sound = false;
    }
    sound.then_some(numbers)
}

fn read_steps(reader: &mut Reader, value: &Value<'_>) -> Option<Vec<Step>> {
    let names = texts(reader, "step", value)?;
    let mut steps = Vec::new();
    for name in names {
        let step = Step::parse(&name);
        if step == Step::Unknown && name != "unknown" {
            reader.fault(value.span(), format!("unknown step `{name}`"));
            return None;
        }
        steps.push(step);
    }
    Some(steps)
}

fn read_types(reader: &mut Reader, value: &Value<'_>) -> Option<Vec<String>> {
    let names = texts(reader, "type", value)?;
    match names.iter().find(|name| EventKind::of(name) == EventKind::Other) {
        Some(unknown) => {
            reader.fault(value.span(), format!("unknown event type `{unknown}`"));
            None
        }
        None => Some(names),
    }
}

fn read_field(reader: &mut Reader, field: FieldId, value: &Value<'_>) -> Option<Condition> {
    let shape = shape_of(field);
    let (is_number, is_list) = (matches!(shape, Shape::Number), matches!(shape, Shape::List));
    let test = match value.get_ref() {
        DeValue::Table(table) if !is_number || table.keys().any(|key| key.get_ref() == "present") => {
            read_table_test(reader, field.column(), shape, table, value)?
        }
        DeValue::Boolean(flag) if matches!(shape, Shape::Flag) => Test::OneOf(vec![flag.to_string()]),
        _ if is_number => Test::Within(numbers(reader, field.column(), value)?),
        _ if is_list => {
            reader.fault(
                value.span(),
                format!("`{}` is a list: ask {{ has = […] }} or {{ lacks = […] }}", field.column()),
            );
            return None;
        }
        _ => Test::OneOf(texts(reader, field.column(), value)?),
    };
    if let (Shape::OneOf(is_known), Test::OneOf(names)) = (shape, &test)
        && let Some(name) = names.iter().find(|name| !is_known(name))
    {
        reader.fault(value.span(), format!("`{}` can never be `{name}`", field.column()));
        return None;
    }
    Some(Condition::Field(field, test))
}

fn read_table_test(
    reader: &mut Reader,
    name: &str,
    shape: Shape,
    table: &DeTable<'_>,
    value: &Value<'_>,
) -> Option<Test> {
    let mut entries = table.iter();
    let (Some((key, wanted)), None) = (entries.next(), entries.next()) else {
        reader.fault(value.span(), format!("`{name}` takes one test"));
        return None;
    };
    let list = matches!(shape, Shape::List);
    match (key.get_ref().as_ref(), wanted.get_ref()) {
        ("present", DeValue::Boolean(flag)) => Some(Test::Present(*flag)),
        ("starts_with", _) if !list => texts(reader, name, wanted).map(Test::StartsWith),
        ("contains", _) if !list => texts(reader, name, wanted).map(Test::Contains),
        ("has", _) if list => texts(reader, name, wanted).map(Test::Has),
        ("lacks", _) if list => texts(reader, name, wanted).map(Test::Lacks),
        (other, _) => {
            reader.fault(key.span(), format!("`{name}` has no test `{other}`"));
            None
        }
    }
}

fn read_attributes(reader: &mut Reader, value: &Value<'_>) -> Option<Condition> {
    let Some(table) = value.get_ref().as_table() else {
        reader.fault(value.span(), "`attributes` wants a table".to_owned());
        return None;
    };
    let mut parts = Vec::new();
    for (key, wanted) in table {
        let name = key.get_ref().to_string();
        let test = match wanted.get_ref() {
            DeValue::Table(test) => read_table_test(reader, &name, Shape::Text, test, wanted)?,
            _ => Test::OneOf(texts(reader, &name, wanted)?),
        };
        parts.push(Condition::Attribute(name, test));
    }
    Some(Condition::All(parts))
}

fn read_urls(reader: &mut Reader, value: &Value<'_>) -> Option<Condition> {
    let left = field_at(reader, value, "left");
    let right = field_at(reader, value, "right");
    let Some(differ) = value.get_ref().as_table().and_then(|table| table.get("differ")) else {
        reader.fault(value.span(), "`differ` is missing".to_owned());
        return None;
    };
    let differences = read_differences(reader, differ);
    Some(Condition::Urls(left?, right?, differences?))
}

fn read_scope_missing(reader: &mut Reader, value: &Value<'_>) -> Option<Condition> {
    let have = field_at(reader, value, "have");
    let need = field_at(reader, value, "need");
    Some(Condition::ScopeMissing(have?, need?))
}

fn read_internal_host(reader: &mut Reader, value: &Value<'_>) -> Option<Condition> {
    let name = value.get_ref().as_str().unwrap_or_default().to_owned();
    let field = FieldId::from_column(&name);
    if field.is_none() {
        reader.fault(value.span(), format!("unknown field `{name}`"));
    }
    field.map(Condition::InternalHost)
}

fn read_differences(reader: &mut Reader, value: &Value<'_>) -> Option<Vec<Difference>> {
    let names = texts(reader, "differ", value)?;
    let known: Option<Vec<_>> = names.iter().map(|name| Difference::from_name(name)).collect();
    if known.is_none() {
        reader.fault(value.span(), format!("unknown difference among `{}`", names.join(", ")));
    }
    known
}

/// The field that the member `key` of a table names.
fn field_at(reader: &mut Reader, value: &Value<'_>, key: &str) -> Option<FieldId> {
    let Some(named) = value.get_ref().as_table().and_then(|table| table.get(key)) else {
        reader.fault(value.span(), format!("`{key}` is missing"));
        return None;
    };
    let name = named.get_ref().as_str().unwrap_or_default().to_owned();
    let field = FieldId::from_column(&name);
    if field.is_none() {
        reader.fault(named.span(), format!("unknown field `{name}`"));
    }
    field
}

fn only_true(reader: &mut Reader, word: &str, value: &Value<'_>) -> Option<()> {
    if value.get_ref().as_bool() == Some(true) {
        return Some(());
    }
    reader.fault(value.span(), format!("`{word}` wants `true`; use `not` for the opposite"));
    None
}

/// One value or each of a list.
fn each<'v, 'i>(value: &'v Value<'i>) -> Vec<&'v Value<'i>> {
    value.get_ref().as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

fn texts(reader: &mut Reader, name: &str, value: &Value<'_>) -> Option<Vec<String>> {
    let read: Option<Vec<String>> =
        each(value).into_iter().map(|part| part.get_ref().as_str().map(str::to_owned)).collect();
    let read = read.filter(|list| !list.is_empty());
    if read.is_none() {
        reader.fault(value.span(), format!("`{name}` wants a text or a list of texts"));
    }
    read
}

/// Numbers and `{ min, max }` ranges, both ends included.
fn numbers(reader: &mut Reader, name: &str, value: &Value<'_>) -> Option<Vec<(f64, f64)>> {
    let read: Option<Vec<(f64, f64)>> = each(value).into_iter().map(|part| range(part.get_ref())).collect();
    let read = read.filter(|list| !list.is_empty());
    if read.is_none() {
        reader.fault(value.span(), format!("`{name}` wants numbers or {{ min, max }}"));
    }
    read
}

fn range(value: &DeValue<'_>) -> Option<(f64, f64)> {
    match value {
        DeValue::Table(table) => {
            let end = |key: &str, open: f64| table.get(key).map_or(Some(open), |end| number(end.get_ref()));
            let known = table.keys().all(|key| matches!(key.get_ref().as_ref(), "min" | "max"));
            (known && !table.is_empty()).then_some(())?;
            Some((end("min", f64::NEG_INFINITY)?, end("max", f64::INFINITY)?))
        }
        single => number(single).map(|number| (number, number)),
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}
