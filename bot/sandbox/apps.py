"""GitHub Apps: a private key signs who asks, an installation token acts as the app's bot account."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from bot.sandbox.http import ApiError, Call, Reply, Route, not_found
from bot.sandbox.hub import Hub
from bot.sandbox.people import Person
from bot.sandbox.shapes.basics import iso
from bot.sandbox.store import App


def add_app(hub: Hub, slug: str, permissions: Mapping[str, str]) -> tuple[App, str]:
    """A new app, installed in the repository, and its private key (PEM)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with hub.lock:
        number, account = hub.next_id(), hub.next_id()
        app = App(number, slug, hub.next_id(), public.decode(), dict(permissions))
        hub.data.apps[number] = app
        hub.data.people[f"{slug}[bot]"] = Person(f"{slug}[bot]", 200_000_000 + account, "app", kind="Bot")
    return app, private.decode()


def app_of(hub: Hub, header: str | None) -> App:
    """The app that a JSON Web Token is signed by. Raises 401."""
    import jwt

    text = (header or "").partition(" ")[2]
    try:
        issuer = str(jwt.decode(text, options={"verify_signature": False}).get("iss", ""))
        app = hub.data.apps[int(issuer)]
        jwt.decode(text, app.key, algorithms=["RS256"], options={"require": ["exp", "iat"]}, issuer=issuer)
    except (jwt.PyJWTError, KeyError, ValueError):
        raise ApiError(401, "A JSON web token could not be decoded") from None
    return app


def show(call: Call) -> Reply:
    app = app_of(call.hub, call.header)
    shape = call.links.app(app.id) or {}
    return Reply(shape | {"permissions": _words(app)})


def _words(app: App) -> dict[str, str]:
    return {name.replace("-", "_"): level for name, level in {"metadata": "read", **app.permissions}.items()}


def installation(call: Call) -> Reply:
    """Of the repository in the path, or by number."""
    app = app_of(call.hub, call.header)
    if "repo" not in call.params and call.number("installation") != app.installation:
        raise not_found()
    owner = call.repo if "repo" in call.params else next(iter(call.hub.data.repositories.values()))
    url = f"{call.root}/app/installations/{app.installation}"
    return Reply(
        {
            "id": app.installation,
            "account": call.links.owner(owner),
            "access_tokens_url": f"{url}/access_tokens",
            "repositories_url": f"{call.root}/installation/repositories",
            "html_url": f"{call.links.web}/organizations/{owner.owner}/settings/installations/{app.installation}",
            "app_id": app.id,
            "app_slug": app.slug,
            "target_id": call.links.owner(owner)["id"],
            "target_type": "Organization",
            "permissions": _words(app),
            "events": [],
            "created_at": iso(owner.created_at),
            "updated_at": iso(owner.created_at),
            "single_file_name": None,
            "repository_selection": "selected",
            "suspended_by": None,
            "suspended_at": None,
        }
    )


def access_token(call: Call) -> Reply:
    """A token for an hour; a body with `permissions` asks for less."""
    from datetime import timedelta

    app = app_of(call.hub, call.header)
    if call.number("installation") != app.installation:
        raise not_found()
    asked: dict[str, Any] | None = call.get("permissions")
    granted = dict(app.permissions)
    if asked:
        wanted = {name.replace("_", "-"): level for name, level in asked.items() if name != "metadata"}
        if any(granted.get(name) not in (level, "write") for name, level in wanted.items()):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
        granted = wanted
    value = call.hub.mint_for_app(app, granted)
    body = {"token": value, "expires_at": iso(call.hub.clock() + timedelta(hours=1)), "permissions": _words(app)}
    return Reply(body | {"repository_selection": "selected"}, 201)


_open = functools.partial(Route, signed_by_app=True)

ROUTES = [
    _open("GET", "/app", show),
    _open("GET", "/app/installations/{installation}", installation),
    _open("POST", "/app/installations/{installation}/access_tokens", access_token),
    _open("GET", "/repos/{owner}/{repo}/installation", installation),
]
