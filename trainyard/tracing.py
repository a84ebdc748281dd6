"""Spans of what a process does, by OpenTelemetry: to a collector where the settings name one, else nowhere.

The packages are an extra (`pip install trainyard[telemetry]`), imported by nobody who has no use for them. A
record carries where it was made (`trace_parent`), as https://www.w3.org/TR/trace-context/ writes it: what a
worker does for it belongs to the trace of the request.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Protocol

logger = logging.getLogger(__name__)

_PARENT = "traceparent"
_FLUSH_MS = 3000
Value = str | int | float | bool


class Span(Protocol):
    """What is known of something while it is done."""

    def set_attribute(self, name: str, value: Value) -> None:
        """One more thing that is known of it."""

    def set_status(self, status: Any, description: str | None = None) -> None:
        """How it has gone, which `fail` says."""


class _NoSpan:
    def set_attribute(self, name: str, value: Value) -> None:
        return

    def set_status(self, status: Any, description: str | None = None) -> None:
        return


class _Present:
    """The provider of this process; None while nothing is traced."""

    provider: Any = None


def start_tracing(endpoint: str, service: str) -> None:
    """Send spans of this process, called so, to a collector of OTLP over HTTP; to none where that is empty.

    OTEL_EXPORTER_OTLP_HEADERS and other variables of OpenTelemetry's exporter hold. Called once, in the
    process that is traced.
    """
    if not endpoint:
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter") is None:
        logger.warning("TRAINYARD_OTLP_ENDPOINT is set, but the extra `telemetry` is not installed.")
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _Present.provider = provider


def stop_tracing() -> None:
    """Send what is left, for a few seconds at most."""
    if provider := _Present.provider:
        _Present.provider = None
        provider.force_flush(_FLUSH_MS)
        provider.shutdown()


@contextmanager
def span(
    name: str,
    about: Mapping[str, Value],
    parent: str | None = None,
    began_ns: int | None = None,
    kind: str = "internal",
) -> Iterator[Span]:
    """A span for as long as the block, of the trace of `parent`, or of the span around it, or of its own.

    `about` is what is known of it, `began_ns` when it began where that was before, in ns since 1970. An
    exception is noted, and fails it.
    """
    if _Present.provider is None:
        yield _NoSpan()
        return
    from opentelemetry.trace import SpanKind

    with _Present.provider.get_tracer("trainyard").start_as_current_span(
        name,
        context=_context_of(parent),
        kind=SpanKind[kind.upper()],
        attributes=dict(about),
        start_time=began_ns,
    ) as found:
        yield found


def trace_parent() -> str | None:
    """The present span as what is made in it carries it; None outside of any."""
    if _Present.provider is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(_PARENT)


def fail(found: Span, why: str) -> None:
    """Say of a span that what was done in it has failed."""
    if _Present.provider is not None:
        from opentelemetry.trace import StatusCode

        found.set_status(StatusCode.ERROR, why)


def _context_of(parent: str | None) -> Any:
    if not parent:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({_PARENT: parent})
