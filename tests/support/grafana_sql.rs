//! Expands a Grafana board into the plain ClickHouse SQL that its panels and variables send.
//!
//! Does what Grafana and its ClickHouse data source do with the macros and variable formats our boards use, and panics
//! on any other, so that a new one is noticed. Every query comes twice: with all workspaces and servers chosen, and
//! with one value each that needs quoting. Does not run anything.
//!
//! Macros: <https://grafana.com/docs/plugins/grafana-clickhouse-datasource/latest/macros/>.

use serde_json::Value;

/// Start of the time range the macros expand to, in milliseconds since 1970: 2020-01-01.
pub const FROM_MS: i64 = 1_577_836_800_000;
/// End of the time range, in milliseconds since 1970: 2100-01-01.
pub const TO_MS: i64 = 4_102_444_800_000;
/// Width of a point in a time series, in milliseconds.
pub const INTERVAL_MS: i64 = 60_000;

/// What the reader of a board has chosen in its variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// "All".
    All,
    /// Two values, one of which holds a quote.
    Two,
}

/// (where it stands, SQL) of every ClickHouse query of the board: panels, then variables, under both choices.
pub fn panel_queries(board_json: &str) -> Vec<(String, String)> {
    let board: Value = serde_json::from_str(board_json).expect("the board is JSON");
    let mut queries = Vec::new();
    for (place, raw) in raw_queries(&board) {
        for choice in [Choice::All, Choice::Two] {
            queries.push((format!("{place} ({choice:?})"), expand(&raw, choice)));
        }
    }
    queries
}

/// (where it stands, SQL as written) of every ClickHouse query of the board.
pub fn raw_queries(board: &Value) -> Vec<(String, String)> {
    let panels =
        board["panels"].as_array().expect("panels").iter().flat_map(|panel| {
            let title = panel["title"].as_str().expect("a panel has a title").to_owned();
            panel["targets"].as_array().into_iter().flatten().filter_map(move |target| {
                target["rawSql"].as_str().map(|sql| (format!("panel {title}"), sql.to_owned()))
            })
        });
    let variables = board["templating"]["list"].as_array().expect("variables").iter().filter_map(|variable| {
        let is_query = variable["type"] == "query";
        let sql = variable["query"].as_str().filter(|_| is_query)?;
        Some((format!("variable {}", variable["name"]), sql.to_owned()))
    });
    panels.chain(variables).collect()
}

fn expand(raw: &str, choice: Choice) -> String {
    let range = |arguments: &[String]| {
        let column = &arguments[0];
        format!("{column} >= fromUnixTimestamp64Milli({FROM_MS}) AND {column} <= fromUnixTimestamp64Milli({TO_MS})")
    };
    let point = |arguments: &[String]| {
        format!("toStartOfInterval(toDateTime64({}, 3), INTERVAL {INTERVAL_MS} millisecond)", arguments[0])
    };
    let unless_all = |arguments: &[String]| match choice {
        Choice::All => "1=1".to_owned(),
        Choice::Two => arguments[0].clone(),
    };
    let mut sql = expand_macro(raw, "$__conditionalAll", 2, &unless_all);
    sql = expand_macro(&sql, "$__timeFilter_ms", 1, &range);
    sql = expand_macro(&sql, "$__timeInterval_ms", 1, &point);
    for variable in ["workspace", "slug"] {
        sql = sql.replace(&format!("${{{variable}:singlequote}}"), r"'acme','o\'hara'");
    }
    assert!(!sql.contains('$'), "a macro or variable that is not known here: {sql}");
    sql
}

/// Replaces every `name(arguments)`; commas and brackets inside brackets belong to an argument.
fn expand_macro(sql: &str, name: &str, arity: usize, replace: &dyn Fn(&[String]) -> String) -> String {
    let opening = format!("{name}(");
    let mut expanded = String::new();
    let mut rest = sql;
    while let Some(start) = rest.find(&opening) {
        expanded.push_str(&rest[..start]);
        let (arguments, after) = split_arguments(&rest[start + opening.len()..]);
        assert_eq!(arguments.len(), arity, "arguments of {name} in {sql}");
        expanded.push_str(&replace(&arguments));
        rest = after;
    }
    expanded + rest
}

/// The arguments up to the bracket that closes them, and what follows it.
fn split_arguments(text: &str) -> (Vec<String>, &str) {
    let mut arguments = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (place, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ',' if depth > 0 => {}
            ')' | ',' => {
                arguments.push(text[start..place].trim().to_owned());
                start = place + 1;
            }
            _ => {}
        }
        if character == ')' && start == place + 1 {
            return (arguments, &text[start..]);
        }
    }
    panic!("a macro is not closed: {text}")
}
