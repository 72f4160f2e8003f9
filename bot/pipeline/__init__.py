"""The order of stages: which job of which workflow runs what. `JOBS` is the written list; a job is one process."""

from __future__ import annotations

# job id in .github/workflows -> module with `run(event, job)`; imported only when that job runs
JOBS = {
    "plan": "bot.pipeline.plan_job",
    "train": "bot.pipeline.train_job",
    "report": "bot.pipeline.report_job",
    "reviewed": "bot.pipeline.reviewed_job",
    "chatops": "bot.pipeline.chatops_job",
    "promote": "bot.pipeline.promote_job",
    "reconcile": "bot.pipeline.reconcile_job",
    "monitor": "bot.pipeline.monitor_job",
    "choose": "bot.pipeline.choose_job",
    "reproduce": "bot.pipeline.reproduce_job",
    "compare": "bot.pipeline.compare_job",
}
