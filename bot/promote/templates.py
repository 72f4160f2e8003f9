"""The built-in manifest templates (Jinja2)."""

from __future__ import annotations

_HEAD = """\
# Written by mlbot. Do not edit: a promotion or a rollback replaces it.
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {{ release.model | dns }}
  namespace: {{ settings.namespace }}
  labels:
    app.kubernetes.io/managed-by: mlbot
    mlbot/environment: {{ release.environment | dns }}
    mlbot/version: {{ release.version }}
  annotations:
    serving.kserve.io/deploymentMode: {{ settings.mode }}
    mlbot/artifact-digest: {{ release.artifact_digest | tojson }}
    mlbot/evaluation-digest: {{ release.evaluation_digest | tojson }}
    mlbot/pull-request: "{{ release.pull_request or 'none' }}"
"""

# A custom container, our own image, since KServe's scikit-learn server loads only pickles and checks no digest:
# https://kserve.github.io/website/docs/model-serving/predictive-inference/frameworks/sklearn
_CONTAINER = """\
{% macro pod(one, indent) %}
{% filter indent(indent, first=True) %}
containers:
  - name: kserve-container
    image: {{ settings.image }}
    args:
      - serve
      - --environment={{ one.environment }}
      - --model={{ one.model }}
      - --pin={{ one.artifact_digest }}
      - --url={{ settings.repository_url }}
      - --host=0.0.0.0
      - --port=8080
      - --insecure-no-token
    ports:
      - containerPort: 8080
        name: http1
        protocol: TCP
    readinessProbe:
      httpGet:
        path: /v2/health/ready
        port: 8080
    livenessProbe:
      httpGet:
        path: /v2/health/live
        port: 8080
    resources:
      requests:
        cpu: {{ settings.resources.cpu | tojson }}
        memory: {{ settings.resources.memory | tojson }}
      limits:
        memory: {{ settings.resources.memory_limit | tojson }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      runAsNonRoot: true
      capabilities:
        drop: [ALL]
    volumeMounts:
      - name: scratch
        mountPath: /tmp
volumes:
  - name: scratch
    emptyDir: {}
{% if settings.architecture != "any" %}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - key: kubernetes.io/arch
              operator: In
              values: [{{ settings.architecture }}]
{% endif %}
{% endfilter %}
{% endmacro %}
"""

# Standard mode (KServe 0.20): the stable predictor and a list of canaries, each named.
# Knative mode: one predictor; the rest of the traffic stays on the revision that was rolled out last.
INFERENCE_SERVICE = (
    _CONTAINER
    + _HEAD
    + """\
spec:
{% if canary and settings.mode == "Standard" %}
  predictor:
    name: {{ previous.version | dns }}-{{ previous.artifact_digest | hex | truncate(8, True, "") }}
    minReplicas: {{ settings.min_replicas }}
    maxReplicas: {{ settings.max_replicas }}
{{ pod(previous, 4) }}
  canary:
    - trafficPercent: {{ settings.canary_percent }}
      predictor:
        name: {{ release.version | dns }}-{{ release.artifact_digest | hex | truncate(8, True, "") }}
        minReplicas: {{ [settings.min_replicas, 1] | min }}
{{ pod(release, 8) }}
{% else %}
  predictor:
{% if settings.mode == "Standard" %}
    name: {{ release.version | dns }}-{{ release.artifact_digest | hex | truncate(8, True, "") }}
{% endif %}
{% if canary %}
    canaryTrafficPercent: {{ settings.canary_percent }}
{% endif %}
    minReplicas: {{ settings.min_replicas }}
    maxReplicas: {{ settings.max_replicas }}
{{ pod(release, 4) }}
{% endif %}
"""
)

# KServe's own runtime on the ONNX file. ONNX needs protocolVersion v2, else no runtime is found.
TRITON = (
    _HEAD
    + """\
spec:
  predictor:
    minReplicas: {{ settings.min_replicas }}
    maxReplicas: {{ settings.max_replicas }}
{% if canary and settings.mode == "Knative" %}
    canaryTrafficPercent: {{ settings.canary_percent }}
{% endif %}
    model:
      modelFormat:
        name: onnx
        version: "1"
      protocolVersion: v2
      storageUri: {{ settings.storage_uri }}/{{ release.model }}/sha256-{{ release.artifact_digest | hex }}
      resources:
        requests:
          cpu: {{ settings.resources.cpu | tojson }}
          memory: {{ settings.resources.memory | tojson }}
        limits:
          memory: {{ settings.resources.memory_limit | tojson }}
"""
)

# Nothing for a cluster to apply: `mlbot serve` and the `directory` target read release.json.
FOLLOWED = """\
# Written by mlbot. This environment is followed by `mlbot serve`; nothing is applied to a cluster.
model: {{ release.model }}
environment: {{ release.environment }}
version: {{ release.version }}
artifact_digest: {{ release.artifact_digest | tojson }}
"""
