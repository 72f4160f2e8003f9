"""The bodies of GitHub's answers, complete and with absolute URLs, as its OpenAPI description says."""
