"""What stands for a collector of OpenTelemetry: it keeps the spans that are sent to it."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class FoundSpan:
    service: str
    name: str
    trace: str
    id: str
    parent: str
    about: dict[str, str]
    nanoseconds: int
    has_failed: bool


class Collector:
    def __init__(self) -> None:
        self.spans: list[FoundSpan] = []
        self.url = ""

    def named(self, name: str) -> list[FoundSpan]:
        return [one for one in self.spans if one.name == name]

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_spans:
            service = next(
                one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
            )
            for one in (span for scope in resource.scope_spans for span in scope.spans):
                about = {
                    key.key: key.value.string_value or str(key.value.int_value) for key in one.attributes
                }
                self.spans.append(
                    FoundSpan(
                        service=service,
                        name=one.name,
                        trace=one.trace_id.hex(),
                        id=one.span_id.hex(),
                        parent=one.parent_span_id.hex(),
                        about=about,
                        nanoseconds=one.end_time_unix_nano - one.start_time_unix_nano,
                        has_failed=one.status.code == 2,
                    )
                )


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a port of its own."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()
