"""Browsers sign in once with a key and hold a cookie: pictures, downloads and streams send no header."""

import secrets

from flask import Request, Response, request

from trainyard.registry.access_keys import digest
from trainyard.store.resources.session_store import SessionStore

COOKIE = "trainyard_session"
LIFE_S = 7 * 24 * 3600
"""A session ends after a week, or as soon as its key is no longer accepted."""


class Sessions:
    """Sessions of browsers. Methods raise StoreUnavailable."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def begin(self, key_hash: str) -> str:
        """A new session of whoever holds that key; its token, which the browser keeps."""
        token = secrets.token_urlsafe(32)
        self._store.put(digest(token), key_hash, LIFE_S)
        return token

    def key_hash(self) -> str | None:
        """The hash of the key with which the present request's session was begun; None without a session."""
        token = request.cookies.get(COOKIE)
        return self._store.key_hash(digest(token)) if token else None

    def end(self) -> None:
        """End the present request's session, if it has one."""
        if token := request.cookies.get(COOKIE):
            self._store.remove(digest(token))


def give_cookie(asked: Request, response: Response, token: str) -> None:
    """Let the browser keep the token: no script reads it, and no page of another site makes it be sent."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=LIFE_S,
        path=_path(asked),
        secure=asked.is_secure or asked.headers.get("X-Forwarded-Proto") == "https",
        httponly=True,
        samesite="Strict",
    )


def take_cookie(asked: Request, response: Response) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(COOKIE, path=_path(asked), httponly=True, samesite="Strict")


def _path(asked: Request) -> str:
    return f"{asked.script_root}/"
