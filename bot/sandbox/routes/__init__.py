"""Which function answers which path: one module a family of GitHub's REST API, each with a written table."""

from __future__ import annotations

from bot.sandbox import apps
from bot.sandbox.routes import (
    actions,
    commits,
    deployments,
    graphql,
    issues,
    locking,
    people,
    pulls,
    refs,
    reviews,
    settings,
    timeline,
)

ALL = [
    *timeline.ROUTES,
    *issues.ROUTES,
    *locking.ROUTES,
    *reviews.ROUTES,
    *pulls.ROUTES,
    *refs.ROUTES,
    *deployments.ROUTES,
    *actions.ROUTES,
    *settings.ROUTES,
    *people.ROUTES,
    *commits.ROUTES,
    *apps.ROUTES,
    *graphql.ROUTES,
]
