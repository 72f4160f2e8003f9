"""Which function answers which path: one module a family of GitHub's REST API, each with a written table."""

from __future__ import annotations

from bot.sandbox import apps
from bot.sandbox.routes import actions, commits, deployments, issues, people, pulls, refs, reviews, settings

ALL = [
    *issues.ROUTES,
    *reviews.ROUTES,
    *pulls.ROUTES,
    *refs.ROUTES,
    *deployments.ROUTES,
    *actions.ROUTES,
    *settings.ROUTES,
    *people.ROUTES,
    *commits.ROUTES,
    *apps.ROUTES,
]
