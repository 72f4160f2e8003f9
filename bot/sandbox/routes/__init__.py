"""Which function answers which path: one module a family of GitHub's REST API, each with a written table."""

from __future__ import annotations

from bot.sandbox import apps
from bot.sandbox.routes import (
    actions,
    artifacts,
    checks,
    commits,
    deployments,
    graphql,
    issues,
    listings,
    locking,
    people,
    pulls,
    reactions,
    refs,
    releases,
    reviews,
    root,
    search,
    secrets,
    settings,
    timeline,
)

ALL = [
    *timeline.ROUTES,
    *issues.ROUTES,
    *reactions.ROUTES,
    *locking.ROUTES,
    *reviews.ROUTES,
    *pulls.ROUTES,
    *refs.ROUTES,
    *deployments.ROUTES,
    *actions.ROUTES,
    *artifacts.ROUTES,
    *checks.ROUTES,
    *releases.ROUTES,
    *search.ROUTES,
    *secrets.ROUTES,
    *settings.ROUTES,
    *listings.ROUTES,
    *people.ROUTES,
    *commits.ROUTES,
    *apps.ROUTES,
    *graphql.ROUTES,
    *root.ROUTES,
]
