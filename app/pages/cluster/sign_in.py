"""Signing in with a key and out again, where keys are needed."""

import re

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app.http.access.authentication import SIGN_IN, SIGN_OUT, authentication
from app.http.access.sessions import give_cookie, take_cookie
from app.http.answers.errors import headers_of, status_of
from trainyard.errors import TooManyRequests, Unauthorized

_LOCAL = re.compile(r"/(?![/\\])[\x21-\x7e]{0,2000}\Z")
"""An address on this server: one that begins with two slashes names another."""


def add_to(blueprint: Blueprint) -> None:
    """Add the addresses."""
    blueprint.add_url_rule(SIGN_IN, "sign_in", show)
    blueprint.add_url_rule(SIGN_IN, "begin_session", begin, methods=["POST"])
    blueprint.add_url_rule(SIGN_OUT, "sign_out", end, methods=["POST"])


def show() -> BaseResponse | str:
    """The form; where no key is needed there is nothing to sign in to."""
    if not authentication().needs_key:
        return redirect(f"{request.script_root}/")
    return _form(None)


def begin() -> BaseResponse | str:
    """Take a key and give the browser a session."""
    try:
        token = authentication().sign_in(request.form.get("key", "").strip())
    except (Unauthorized, TooManyRequests) as error:
        response = make_response(_form(error), status_of(error))
        response.headers.extend(headers_of(error))
        return response
    response = make_response(redirect(f"{request.script_root}{_next()}", 303))
    give_cookie(request, response, token)
    return _uncached(response)


def end() -> Response:
    """End the session; the browser drops what it kept of it."""
    authentication().sign_out()
    response = make_response(redirect(f"{request.script_root}{SIGN_IN}", 303))
    take_cookie(request, response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return _uncached(response)


def _form(error: Unauthorized | TooManyRequests | None) -> str:
    g.has_session = False
    return render_template("cluster/sign_in.html", next=_next(), error=error)


def _next() -> str:
    """Where to go after signing in: the page that was asked for, as an address without the prefix."""
    wanted = request.values.get("next", "/")
    return wanted if _LOCAL.match(wanted) else "/"


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
