"""Files of `policies/` -> Policies, or every mistake with its place. A policy that does not load blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Place, Problems, UserError
from bot.records.base import canonical_json, sha256
from bot.specs.base import Spec
from bot.specs.policies.approvals import ApprovalPolicy
from bot.specs.policies.commands import Commands
from bot.specs.policies.environments import Environments
from bot.specs.policies.roles import Roles
from bot.specs.validation import did_you_mean, validate
from bot.specs.yaml import Document, Path, read_yaml, together

FILES: dict[str, type[Spec]] = {
    "roles.yaml": Roles,
    "approvals.yaml": ApprovalPolicy,
    "environments.yaml": Environments,
    "commands.yaml": Commands,
}
# Read by others: the gates of the evaluation, where models are trained, templates, the policies' own tests.
OTHERS = ("gates.yaml", "training.yaml")


@dataclass(frozen=True)
class Policies:
    """Everything that people wrote about approvals. `digest` is over the bytes of all policy files.

    `documents` keep the places of keys, for lint and messages, by file name.
    """

    roles: Roles
    approvals: ApprovalPolicy
    environments: Environments
    commands: Commands
    digest: str
    documents: Mapping[str, Document] = field(default_factory=dict, repr=False, compare=False)

    def place(self, file: str, *path: str | int) -> Place:
        """Where a key stands."""
        document = self.documents.get(file)
        return document.place(path) if document else Place(f"policies/{file}")


def policy_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and contents of the policy files; tests do not count, since they decide nothing."""
    contents = {_relative(name): sha256(data) for name, data in files.items() if not _is_test(name)}
    return sha256(canonical_json(contents))


def read_policies(files: Mapping[str, bytes]) -> Policies:
    """Policies from `policies/<name>` (or bare names) -> bytes; other files are only digested.

    Raises UserError or Problems (codes `policy_missing`, `yaml_invalid`, `spec_invalid`, `policy_invalid`).
    """
    by_name = {_relative(name): data for name, data in files.items()}
    problems: list[UserError] = list(_strangers(by_name))
    documents: dict[str, Document] = {}
    specs: dict[str, Any] = {}
    for name, kind in FILES.items():
        try:
            documents[name] = _document(by_name, name)
            specs[name] = validate(documents[name], kind, schema=name.removesuffix(".yaml"))
        except UserError as error:
            problems.extend(error.errors if isinstance(error, Problems) else [error])
    if not problems:
        roles, approvals, environments, commands = (specs[name] for name in FILES)
        policies = Policies(roles, approvals, environments, commands, policy_digest(files), documents)
        problems.extend(_cross_checks(policies))
        if not problems:
            return policies
    raise together(problems)


def _relative(name: str) -> str:
    return name.removeprefix("policies/")


def _is_test(name: str) -> bool:
    return _relative(name).startswith("tests/")


def _strangers(by_name: Mapping[str, bytes]) -> Iterator[UserError]:
    known = (*FILES, *OTHERS)
    for name in by_name:
        if "/" not in name and name.endswith((".yaml", ".yml")) and name not in known:
            hint = did_you_mean(name, known, noun="policy files")
            yield UserError("not a policy file", hint=hint, place=Place(f"policies/{name}"), code="policy_invalid")


def _document(by_name: Mapping[str, bytes], name: str) -> Document:
    if name not in by_name:
        hint = f"Add policies/{name}: `mlbot init` writes one that you can start from."
        raise UserError("the policy file is missing", hint=hint, place=Place(f"policies/{name}"), code="policy_missing")
    return read_yaml(by_name[name], f"policies/{name}")


def _cross_checks(policies: Policies) -> Iterator[UserError]:
    for check in (_roles_exist, _tiers_exist, _rules_exist, _environments_exist, _names_unique, _sound):
        yield from check(policies)


def _wrong(policies: Policies, file: str, path: Path, message: str, hint: str) -> UserError:
    return UserError(message, hint=hint, place=policies.place(file, *path), code="policy_invalid")


ROLE_KEYS = frozenset(("role", "roles", "changes_requested_by", "release_roles", "promoters", "author_roles"))


def words(value: Any, path: Path, is_key: Callable[[str], bool]) -> Iterator[tuple[Path, str]]:
    """Texts below keys that are wanted, with their paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if is_key(key):
                yield from _texts(inner, (*path, key))
            yield from words(inner, (*path, key), is_key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from words(inner, (*path, index), is_key)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))


def _unknown(
    policies: Policies, file: str, found: Iterable[tuple[Path, str]], known: Iterable[str], noun: str
) -> Iterator[UserError]:
    known = list(known)
    for path, word in found:
        if word not in known:
            hint = did_you_mean(word, known, noun=f"{noun}s")
            yield _wrong(policies, file, path, f"unknown {noun} `{word}`", hint)


def _roles_exist(policies: Policies) -> Iterator[UserError]:
    for file in ("approvals.yaml", "environments.yaml", "commands.yaml"):
        found = words(policies.documents[file].value, (), ROLE_KEYS.__contains__)
        yield from _unknown(policies, file, found, policies.roles.roles, "role")


def _tiers_exist(policies: Policies) -> Iterator[UserError]:
    tiers = [tier.name for tier in policies.approvals.risk_tiers]
    for file in ("approvals.yaml", "commands.yaml"):
        found = words(policies.documents[file].value, (), ("risk_tier", "require_target").__contains__)
        yield from _unknown(policies, file, found, tiers, "risk tier")
    for index, tier in enumerate(policies.approvals.risk_tiers):
        if any(part.risk_tier is not None for part in tier.match.parts()):
            path = ("risk_tiers", index, "match")
            message, hint = f"tier `{tier.name}` is defined by a risk tier", "Match on what changed instead."
            yield _wrong(policies, "approvals.yaml", path, message, hint)


def _rules_exist(policies: Policies) -> Iterator[UserError]:
    document = policies.documents["approvals.yaml"]
    rules = [rule.name for rule in policies.approvals.rules]
    merge = document.value["merge"]
    found = words(merge, ("merge",), ("any_of", "all_of").__contains__)
    yield from _unknown(policies, "approvals.yaml", dict(found).items(), rules, "rule")
    used = set(policies.approvals.merge.names())
    for index, rule in enumerate(policies.approvals.rules):
        if rule.name not in used:
            hint = "Name it under `merge`, or remove it: a rule that nothing asks for protects nothing."
            message = f"rule `{rule.name}` is never asked for"
            yield _wrong(policies, "approvals.yaml", ("rules", index, "name"), message, hint)


def _environments_exist(policies: Policies) -> Iterator[UserError]:
    known = list(policies.environments.environments)
    for file, keys in (("environments.yaml", ("promote_from", "environments")), ("approvals.yaml", ("environments",))):
        found = words(policies.documents[file].value, (), keys.__contains__)
        yield from _unknown(policies, file, found, known, "environment")
    for name, environment in policies.environments.environments.items():
        if name == "merge":
            hint = "Choose another name: `merge` is what the merge gate is called."
            yield _wrong(policies, "environments.yaml", ("environments", name), "`merge` is not an environment", hint)
        if name in environment.promote_from:
            path = ("environments", name, "promote_from")
            message = f"{name} cannot be promoted from itself"
            yield _wrong(policies, "environments.yaml", path, message, "Name the environment before it.")


def _names_unique(policies: Policies) -> Iterator[UserError]:
    approvals = policies.approvals
    lists: dict[tuple[str, str], tuple[Any, ...]] = {
        ("approvals.yaml", "rules"): approvals.rules,
        ("approvals.yaml", "risk_tiers"): approvals.risk_tiers,
        ("approvals.yaml", "vetoes"): approvals.vetoes,
        ("approvals.yaml", "separation_of_duties"): approvals.separation_of_duties,
        ("environments.yaml", "freeze_windows"): policies.environments.freeze_windows,
    }
    for (file, key), items in lists.items():
        names = [item.name for item in items]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield _wrong(policies, file, (key, index, "name"), f"`{name}` is used twice", "Give it its own name.")


def _sound(policies: Policies) -> Iterator[UserError]:
    """What makes a policy weaker than it reads."""
    last = len(policies.approvals.risk_tiers) - 1
    if policies.approvals.risk_tiers[last].match.always is None:
        message, hint = "some changes are in no risk tier", "End the list with a tier that matches `always: true`."
        yield _wrong(policies, "approvals.yaml", ("risk_tiers", last, "match"), message, hint)
    for name, environment in policies.environments.environments.items():
        if environment.soak_time[0] != "0" and not environment.promote_from:
            hint = "Name the environment to soak in under `promote_from`."
            soak = ("environments", name, "soak_time")
            yield _wrong(policies, "environments.yaml", soak, "there is nowhere to soak", hint)
    users: dict[int, str] = {}
    for role_name, role in policies.roles.roles.items():
        for index, account in enumerate(role.accounts):
            if users.setdefault(account.id, account.login.lower()) != account.login.lower():
                path: Path = ("roles", role_name, "users", index)
                hint = f"Elsewhere it is `{users[account.id]}`: one id is one account."
                yield _wrong(policies, "roles.yaml", path, f"account {account.id} has two names", hint)
