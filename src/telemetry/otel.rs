//! Sends the program's own spans over OTLP (HTTP, protobuf) when the standard environment names an endpoint, and
//! carries W3C trace context over the API. Without an endpoint nothing is built and nothing runs.
//!
//! Endpoint, headers, time-out and sampling are read by the SDK from the `OTEL_*` variables of the OpenTelemetry
//! specification. Plain `http://` only: a collector beside the process takes the rest of the way.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use thiserror::Error;
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// Where OTLP goes, for all signals; `/v1/traces` is appended.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Where traces go, taken as it is.
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// `true` turns the SDK off whatever else is set.
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// Why spans cannot be sent.
#[derive(Debug, Error)]
pub enum OtelError {
    /// TLS is not built in.
    #[error("{ENDPOINT}: only http:// endpoints are supported; send to a collector on this host or network")]
    NotPlainHttp,
    /// Nobody to run the sending.
    #[error("spans can be sent from inside the asynchronous runtime only")]
    NoRuntime,
    /// The SDK refused the settings.
    #[error("the OTLP exporter refused its settings")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// What was buffered could not be sent.
    #[error("the last spans were not sent")]
    Shutdown(#[from] OTelSdkError),
}

impl OtelError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPlainHttp => "otel_not_plain_http",
            Self::NoRuntime => "otel_no_runtime",
            Self::Exporter(_) => "otel_settings",
            Self::Shutdown(_) => "otel_shutdown",
        }
    }
}

/// The running export of spans.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts the export if `read` (the environment) asks for it; `None` when it does not.
    ///
    /// # Errors
    /// See [`OtelError`].
    pub fn start(read: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, OtelError> {
        let Some(endpoint) = endpoint(&read)? else { return Ok(None) };
        let runtime = Handle::try_current().map_err(|_| OtelError::NoRuntime)?;
        let exporter =
            SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_endpoint(endpoint).build()?;
        let mut resource = Resource::builder();
        if read("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("gatetrail");
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(OnRuntime { exporter: Arc::new(exporter), runtime })
            .with_resource(resource.build())
            .build();
        Ok(Some(Self { provider }))
    }

    /// The layer that turns spans of this crate into OpenTelemetry spans. Those of libraries are left out, the
    /// exporter's own HTTP client first of all.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO);
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer(env!("CARGO_PKG_NAME"))).with_filter(own)
    }

    /// Sends what is buffered and stops; waits at most 5 s.
    ///
    /// # Errors
    /// [`OtelError::Shutdown`] when the last spans could not be sent.
    pub async fn shutdown(self) -> Result<(), OtelError> {
        // It blocks while a task of this very runtime sends, so it must not hold one of the runtime's threads.
        let stopped = tokio::task::spawn_blocking(move || self.provider.shutdown()).await;
        stopped.unwrap_or_else(|died| Err(OTelSdkError::InternalFailure(died.to_string()))).map_err(OtelError::from)
    }
}

/// The traces endpoint as the OTLP exporter specification derives it; empty counts as unset.
fn endpoint(read: impl Fn(&str) -> Option<String>) -> Result<Option<String>, OtelError> {
    let set = |name| read(name).filter(|text| !text.trim().is_empty());
    if set(DISABLED).is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let of_traces = set(TRACES_ENDPOINT);
    let of_all = || set(ENDPOINT).map(|base| format!("{}/v1/traces", base.trim_end_matches('/')));
    match of_traces.or_else(of_all) {
        Some(endpoint) if !endpoint.starts_with("http://") => Err(OtelError::NotPlainHttp),
        endpoint => Ok(endpoint),
    }
}

/// Runs the exporter on our runtime: the SDK calls it from a thread of its own, where its HTTP client, which wants a
/// runtime, could not work.
#[derive(Debug)]
struct OnRuntime {
    exporter: Arc<SpanExporter>,
    runtime: Handle,
}

impl opentelemetry_sdk::trace::SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = Arc::clone(&self.exporter);
        let sent = self.runtime.spawn(async move { exporter.export(batch).await });
        sent.await.unwrap_or_else(|died| Err(OTelSdkError::InternalFailure(died.to_string())))
    }

    fn set_resource(&mut self, resource: &Resource) {
        // The SDK sets it once while building, before anything was shared.
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}

/// Makes `span` a child of the caller's `traceparent` (W3C Trace Context §3.2). A broken header changes nothing.
pub fn continue_trace(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract(&carrier);
    // Refused only for a span that is disabled or already entered; then it keeps its own trace.
    if let Err(reason) = span.set_parent(parent) {
        tracing::debug!(%reason, "the caller's trace context was not taken over");
    }
}

/// The `traceparent` to hand on or to answer with; `None` when the span is not exported.
#[must_use]
pub fn traceparent(span: &Span) -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove("traceparent")
}

#[cfg(test)]
mod tests;
