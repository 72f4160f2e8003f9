"""Reproducibility: digests, versions, machine, seconds, cost, and the command that trains it again."""

import math

from bot.records.evaluation import Evaluation
from bot.records.numbers import count, counted, duration, size
from bot.records.training import Training
from bot.report.blocks import Block, Cell, Lines, Name, Section, Table, left, note
from bot.report.withhold import withholding

SHORT = 0.01  # seconds: a phase below it was none


def section(evaluation: Evaluation) -> Section | None:
    """Facts by name; warnings of the training below them."""
    training = evaluation.training
    facts = (*_identity(evaluation), *_fit(training), *_cost(training))
    blocks: list[Block] = [Table(left("Fact", "Value"), facts, caption="Reproducibility")]
    if training.parameters:
        rows = tuple((Name(name), Name(_shown(value))) for name, value in sorted(training.parameters.items()))
        blocks.append(Table(left("Parameter", "Value"), rows, caption="Parameters of the chosen model"))
    if training.warnings:
        blocks += [note("Warnings while training:"), Lines("\n".join(training.warnings))]
    if not withholding(evaluation):  # what is left of a withheld evaluation has another digest
        blocks += [note("Train it again and compare:"), Lines(f"mlbot reproduce {evaluation.digest()}")]
    return Section("reproduce", "Reproducibility", 30, tuple(blocks))


def _identity(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
    training = evaluation.training
    return [
        ("Inputs digest", Name(training.inputs_digest)),
        ("Artifact digest", Name(training.artifact_digest)),
        *(() if withholding(evaluation) else (("Evaluation digest", Name(evaluation.digest())),)),
        ("Policy digest", Name(evaluation.policy_digest)),
        ("Test rows digest", Name(training.test_rows_digest)),
        *(("Data", (Name(file.path), "md5", Name(file.md5))) for file in training.data_files),
    ]


def _fit(training: Training) -> list[tuple[Cell, ...]]:
    packages = tuple(Name(f"{name} {version}") for name, version in sorted(training.machine.packages.items()))
    onnx = training.onnx.replace("_", " ") + (f": {training.onnx_detail}" if training.onnx_detail else "")
    rows = f"{count(training.n_train)} for training, {count(training.n_test)} for testing"
    return [
        ("Estimator", Name(training.estimator)),
        ("Search", f"{counted(training.trials, 'trial')} by {training.scoring}" if training.trials else "none"),
        ("Rows", rows),
        ("ONNX", onnx),
        ("Python", Name(training.machine.python)),
        ("Packages", packages or "–"),
    ]


def _cost(training: Training) -> list[tuple[Cell, ...]]:
    machine, seconds = training.machine, training.seconds
    phases = {name: float(value) for name, value in seconds.model_dump().items()}
    total = sum(phases.values())
    spent = ", ".join(f"{name} {duration(value)}" for name, value in phases.items() if value >= SHORT)
    return [
        ("Machine", (Name(machine.architecture), machine.cpu, f"{counted(machine.threads, 'thread')}, {machine.blas}")),
        ("Time", f"{duration(total)} ({spent})" if spent else duration(total)),
        # GitHub bills whole minutes: https://docs.github.com/billing/concepts/product-billing/github-actions
        ("Cost", counted(max(1, math.ceil(total / 60)), "runner minute")),
        ("Most memory", size(training.peak_memory_bytes)),
    ]


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
