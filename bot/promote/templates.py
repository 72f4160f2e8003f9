"""The built-in manifest templates (Jinja2)."""

from __future__ import annotations

# A custom container, our own image, since KServe's scikit-learn server loads only pickles and checks no digest
# (https://kserve.github.io/website/docs/model-serving/predictive-inference/frameworks/sklearn).
INFERENCE_SERVICE = """\
# Written by mlbot. Do not edit: a promotion or a rollback replaces it.
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {{ release.model | dns }}
  labels:
    app.kubernetes.io/managed-by: mlbot
    mlbot/environment: {{ release.environment }}
    mlbot/version: {{ release.version }}
  annotations:
    mlbot/artifact-digest: {{ release.artifact_digest }}
    mlbot/evaluation-digest: {{ release.evaluation_digest }}
    mlbot/pull-request: {{ release.pull_request | tojson | tojson }}
spec:
  predictor:
    containers:
      - name: kserve-container
        image: {{ settings.image | default("ghcr.io/OWNER/mlbot-serve") }}
        args:
          - serve
          - --environment={{ release.environment }}
          - --model={{ release.model }}
          - --pin={{ release.artifact_digest }}
          - --host=0.0.0.0
          - --port=8080
"""
