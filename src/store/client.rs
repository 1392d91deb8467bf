//! The ClickHouse client every role uses, from the configuration.

use crate::config;

/// A client of the configured server and database. Nothing is sent yet.
#[must_use]
pub fn connect(settings: &config::ClickHouse) -> clickhouse::Client {
    let client = clickhouse::Client::default()
        .with_url(settings.url.trim_end_matches('/'))
        .with_user(&settings.user)
        .with_product_info("gatetrail", env!("CARGO_PKG_VERSION"))
        .with_compression(super::compression::compression_to(&settings.url))
        // Types are checked where rows are read as JSON lines; the crate's own check reads the schema once a query more.
        .with_validation(false);
    match &settings.password {
        Some(password) => client.with_password(password.reveal()),
        None => client,
    }
}

/// A client of the configured server with the database set, for everything but migrations.
#[must_use]
pub fn connect_database(settings: &config::ClickHouse) -> clickhouse::Client {
    connect(settings).with_database(&settings.database)
}
