//! Logs in the form that Terraform understands: one JSON object per line on standard error.

use std::fmt;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value as Json, json};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// Libraries below the provider. What they say in detail is about them, and may hold what users keep secret.
const LIBRARIES: [&str; 12] = [
    "aws_config",
    "aws_runtime",
    "aws_sdk",
    "aws_sigv4",
    "aws_smithy",
    "h2",
    "hyper",
    "hyper_util",
    "rustls",
    "tonic",
    "tower",
    "want",
];

/// Logs from now on, if the environment asks for it.
pub(crate) fn install(name: &str) {
    let level = level(name, |variable| std::env::var(variable).ok());
    if level == LevelFilter::OFF {
        return;
    }
    let subscriber = tracing_subscriber::registry().with(Lines { level });
    // Only the first subscriber of a process can be installed, and any later one is a test's.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The most specific variable decides. Nothing set means nothing logged, as everywhere in Terraform.
pub(crate) fn level(name: &str, variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let own = format!("TF_LOG_PROVIDER_{}", name.to_uppercase().replace('-', "_"));
    let text = [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    match text.unwrap_or_default().to_uppercase().as_str() {
        "" | "OFF" => LevelFilter::OFF,
        "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        // Terraform takes every other word for the most detailed level too.
        _ => LevelFilter::TRACE,
    }
}

/// Logs a panic whatever the level, since it is always worth it.
pub(crate) fn write_panic(name: &str, text: &str) {
    let mut fields = Map::new();
    fields.insert("@message".to_owned(), json!(format!("panic: {text}")));
    write_line("error", name, fields);
}

fn write_line(level: &str, module: &str, mut fields: Map<String, Json>) {
    fields.insert("@level".to_owned(), json!(level));
    fields.insert("@module".to_owned(), json!(module));
    fields.insert("@timestamp".to_owned(), json!(timestamp(SystemTime::now())));
    let mut line = Json::Object(fields).to_string();
    line.push('\n');
    // One write per line: other threads write too, and nobody can be told when it fails.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// The layer that writes events as lines.
struct Lines {
    level: LevelFilter,
}

/// The fields of a span, which its events repeat.
struct SpanFields(Map<String, Json>);

impl Lines {
    fn allows(&self, metadata: &Metadata<'_>) -> bool {
        let root = metadata.target().split("::").next().unwrap_or_default();
        let is_library = LIBRARIES.iter().any(|library| {
            root.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        });
        let most = if is_library { self.level.min(LevelFilter::INFO) } else { self.level };
        *metadata.level() <= most
    }
}

impl<S: Subscriber + for<'lookup> LookupSpan<'lookup>> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        self.allows(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Recorder(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Recorder(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Map::new();
        if let Some(scope) = context.event_scope(event) {
            for span in scope.from_root() {
                if let Some(SpanFields(outer)) = span.extensions().get() {
                    fields.extend(outer.clone());
                }
            }
        }
        event.record(&mut Recorder(&mut fields));
        let message = fields.remove("message").unwrap_or_else(|| json!(""));
        fields.insert("@message".to_owned(), message);
        write_line(level_name(*event.metadata().level()), event.metadata().target(), fields);
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

struct Recorder<'fields>(&'fields mut Map<String, Json>);

impl Visit for Recorder<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), json!(format!("{value:?}")));
    }
}

/// The time in UTC, as `2026-01-31T13:45:00.000000Z`.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let micros = since.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that the leap day is a year's last; 719 468 days lie between
    // 0000-03-01 and 1970-01-01, and 146 097 days are 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
