"""A span for each request; what is made in it carries where it was made."""

from contextlib import ExitStack

from flask import Flask, Response, g, request

from trainyard.tracing import fail, span


def register(app: Flask) -> None:
    """Install the hooks, the first of all."""

    def begin() -> None:
        route = request.url_rule.rule if request.url_rule else "unknown"
        g.traced = ExitStack()
        g.span = g.traced.enter_context(
            span(
                f"{request.method} {route}",
                {"http.request.method": request.method, "http.route": route},
                parent=request.headers.get("traceparent"),
                kind="server",
            )
        )

    def note(response: Response) -> Response:
        if found := g.get("span"):
            found.set_attribute("http.response.status_code", response.status_code)
            found.set_attribute("trainyard.request", g.get("request_id", ""))
            if response.status_code >= 500:
                fail(found, response.status)
        return response

    def end(_: BaseException | None) -> None:
        if traced := g.pop("traced", None):
            traced.close()

    app.before_request(begin)
    app.after_request(note)
    app.teardown_request(end)
