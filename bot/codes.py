"""The closed list of error codes, each with the next step of whoever meets it and is told nothing closer.

docs/errors.md is made of it by `mlbot schema --docs docs`. An error that knows more says so in its own hint.
"""

from __future__ import annotations

# next step -> codes of errors that it is the next step for
STEPS: dict[str, tuple[str, ...]] = {
    "Mend what the message names, at the place that it names.": (
        "invalid", "baseline_invalid", "broken", "column_name", "condition_invalid", "dask_address", "label_regression",
        "label_target", "label_type", "metric_unknown", "name_invalid", "number_too_large", "option_invalid",
        "parameter_invalid", "policy_test_invalid", "search_too_large", "seed_invalid", "seed_refused", "slice_invalid",
        "slice_sensitive", "spec_invalid", "split_invalid", "template_invalid", "where_invalid", "yaml_invalid",
        "too_large",
    ),
    "`mlbot validate` names every mistake in specs and policies with its place.": (
        "policy_invalid", "policy_missing", "spec_missing", "gate_taken", "resources_refused", "not_a_file",
        "matrix_too_wide", "requirements_missing", "manifest_invalid", "template_unknown", "tables_missing",
    ),
    "Run this again later; nothing was lost.": (
        "unavailable", "app_refused", "dask_unreachable", "location_unreachable", "remote_unreachable", "timeout",
        "branch_moved", "conflict", "git", "run_failed", "program_failed", "library", "not_settled", "broke_off",
        "not_answered", "not_followed", "not_run",
    ),
    "Look at the lines above this one; they say what failed.": (
        "not_judged", "not_reproduced", "training_failed", "not_recorded", "not_served", "story_broken",
    ),
    "Look at the data: the message names the column, the file or the rows.": (
        "class_unknown", "column_doubled", "column_missing", "column_taken", "column_type", "column_unknown",
        "contract_broken",
        "data_empty", "data_encoding", "data_format_unclear", "data_mismatch", "data_unreadable", "groups_too_few",
        "one_class", "row_id_missing", "rows_too_few", "rows_unfit", "split_empty", "target_classes", "target_missing",
        "target_not_finite", "target_one_class", "target_type", "target_unseen_class", "time_missing",
        "too_many_classes", "weight_invalid", "inputs_none", "inputs_too_many",
        "label_unknown",
    ),
    "`dvc pull` fetches what data.dvc names, `dvc push` stores it; data.dvc has to be committed.": (
        "data_missing", "data_object_corrupt", "data_object_missing", "data_path_missing", "data_path_outside",
        "data_pointer", "pointer_invalid", "listing_invalid",
    ),
    "`.dvc/config` names the remote; `dvc remote list` and `dvc status --cloud` say whether it answers.": (
        "remote_missing", "location_invalid", "location_missing",
    ),
    "Give the machine more memory or disk, or the model fewer rows and columns.": (
        "disk_full", "memory", "memory_exceeded",
    ),
    "Change the estimator's parameters, `search` or `impute`; one candidate without a search shows the reason.": (
        "fit_failed", "folds_too_many", "search_failed",
        "selection_failed", "predict_failed", "predictions_not_finite", "not_refitted",
    ),
    "Train the model again: what was measured and what is there do not go together.": (
        "evaluation_mismatch", "evaluation_unmeasured", "test_rows_changed", "load_check_failed", "golden_differs",
        "golden_mismatch", "golden_missing",
    ),
    "`/retrain` on the pull request evaluates its head.": ("evaluation_missing", "head_missing"),
    "Only what `mlbot train` wrote is opened: fetch the artifact again, and find out who changed it.": (
        "artifact_changed", "artifact_invalid", "artifact_mismatch", "onnx_refused", "type_refused", "value_refused",
        "format_unfit",
    ),
    "`dvc pull` and `mlbot history MODEL` tell what is stored; train again what is not.": (
        "artifact_missing", "inputs_gone",
    ),
    "`mlbot environments` and `mlbot history MODEL` show what is live and what was, with digests and versions.": (
        "artifact_unknown", "digest_unknown", "environment_missing", "no_environment", "no_model", "not_live",
        "not_watched", "rollback_target_live", "rollback_target_missing", "rollback_target_revoked",
        "still_live", "verified_other",
        "unknown_environment",
    ),
    "`mlbot environments` shows what is live now; ask again if you still want it.": (
        "promotion_lost", "environment_holds", "not_in_previous_environment", "frozen", "locked", "delivery",
        "proposal_declined",
    ),
    "A revoked artifact goes nowhere: change the model and evaluate it again.": ("revoked",),
    "`git log` of the branch says who wrote there; `mlbot verify MODEL --environment ENV` checks the chain.": (
        "chain_broken", "ledger_conflict", "ledger_tampered", "release_lost", "release_replayed", "signature_invalid",
        "taken",
    ),
    "Use the version of mlbot that the repository's uv.lock names.": ("ledger_newer",),
    "policies/commands.yaml and policies/roles.yaml say who may; `/help` on the pull request what you may.": (
        "command_not_allowed", "contributor_approval", "promoter_missing", "role_missing", "budget_exceeded",
        "reason_missing", "refused",
    ),
    "Look at the pull request as it is now, and write the command again in a new comment.": (
        "act_missing", "comment_named", "edited", "not_accepted", "not_needed", "nothing_to_cancel", "ref_changed",
        "target_unknown", "merge_queue", "number_missing", "no_number", "not_open", "facts_missing",
    ),
    "`mlbot doctor` says which permission or setting of the repository is missing.": (
        "forbidden", "issue_cap", "issues_off", "not_found", "push_refused", "token_refused", "branch_taken",
        "name_taken", "commit_cap",
    ),
    "docs/threat-model.md says how to set up the team's own app and the signing key.": (
        "app_incomplete", "app_key_malformed", "app_not_installed", "identity_malformed", "signing_key_malformed",
        "signing_key_missing", "signing_key_revoked", "signing_key_unknown",
    ),
    "`git fetch origin` fetches branches and tags, `git fetch --unshallow` the history.": (
        "ref_missing", "shallow", "object_missing", "no_default_branch",
    ),
    "git itself says what is wrong: `git status`, `git fsck`; a plain clone of the same repository is always read.": (
        "repository_refused", "repository_unsupported", "not_the_root", "inside_repository", "git_missing",
    ),
    "Run this where it is meant to run: in GitHub Actions, or in `mlbot sandbox`.": (
        "not_available", "payload_invalid", "port_absent", "unknown_job", "wrong_event",
    ),
    "Run the workflow again: what came over is not what this run made.": ("plan_differs", "not_planned", "twice"),
    "`mlbot VERB --help` says what the verb takes.": (
        "baseline_missing", "budget_too_large", "file_missing", "file_not_written", "nothing_to_report",
        "schema_unknown", "too_many_ids", "port_taken",
    ),
    "`mlbot schema NAME` prints what such a record looks like.": (
        "record_invalid", "record_missing", "record_too_large",
    ),
    "`uv sync --extra NAME` or `pip install 'mlbot[NAME]'` installs it.": ("dask_missing", "extra_missing"),
    "Give the scheduler a certificate, and write tls://host:port.": ("dask_insecure",),
    "Please report it, with the lines above: it is a bug in mlbot.": ("bug",),
}  # fmt: skip
CODES: dict[str, str] = {code: step for step, codes in STEPS.items() for code in codes}


def next_step(code: str) -> str:
    """What to do about an error of this code, empty for a code that has a page of its own (docs/policies.md)."""
    return CODES.get(code, "")


def docs_page() -> str:
    """docs/errors.md."""
    rows = [f"| `{code}` | {step} |" for code, step in sorted(CODES.items())]
    return "\n".join([*_HEAD, *rows]) + "\n"


_HEAD = (
    "# Errors",
    "",
    "<!-- Made from bot/codes.py by `mlbot schema --docs docs`; a test keeps them alike. -->",
    "",
    "An error names the thing, the file with line and column where there is one, and the next step. Its code is "
    "stable, its wording is not. Most errors know a closer next step than the one here. Codes of refused commands and "
    "promotions are [reason codes](policies.md#reason-codes). Exit codes: 1 you must act, 2 the world failed (try "
    "again), 3 a bug in mlbot.",
    "",
    "| code | next step |",
    "| --- | --- |",
)
