"""Requests a second of `mlbot serve`, MLServer and KServe's Python server on the same model, in one run.

Not a test: it installs the rivals, each in its own environment (1 GB), and takes about five minutes.
`python tests/benchmarks/rivals.py FOLDER` prints a table; docs/deployment.md keeps the last one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SECONDS, ROUNDS, PORT = 4, 3, 9310

# The rivals get the same pipeline, fitted by their own scikit-learn, on a table with named columns.
FIT = """
import sys, numpy as np, pandas as pd, joblib
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
rng = np.random.default_rng(0)
n = 400
age = rng.uniform(18, 80, n).round(0)
table = pd.DataFrame({"age": age, "income": rng.lognormal(10, .5, n), "country": rng.choice(["DE", "ES", "FR"], n)})
target = (age / 40 + (table.country == "DE") > 1.4).astype(int)
columns = ColumnTransformer([
    ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
    ("words", OneHotEncoder(handle_unknown="ignore"), ["country"]),
])
joblib.dump(Pipeline([("columns", columns), ("estimator", LogisticRegression())]).fit(table, target), sys.argv[1])
"""
KSERVE = """
import sys, joblib
from kserve import Model, ModelServer, InferResponse
from kserve.utils.utils import get_predict_input, get_predict_response
MODEL, WHERE = sys.argv[1], int(sys.argv[2])
del sys.argv[1:]
class Churn(Model):
    def __init__(self):
        super().__init__("churn")
        self.pipeline = joblib.load(MODEL)
        self.ready = True
    def predict(self, payload, headers=None):
        return get_predict_response(payload, self.pipeline.predict(get_predict_input(payload)), "churn")
ModelServer(http_port=WHERE, enable_grpc=False).start([Churn()])
"""
# What we serve is a release in a repository, and the command itself is measured.
RELEASE = """
import sys
from pathlib import Path
from tests.serve.artifacts import an_artifact
from tests.serve.test_cli import a_world, release
Path(sys.argv[1]).mkdir()
release(a_world(Path(sys.argv[1])), an_artifact())
"""
MLBOT = "from bot.cli import main; main()"
TENSORS = [
    {"name": "age", "shape": [1], "datatype": "FP64", "data": [30.0]},
    {"name": "income", "shape": [1], "datatype": "FP64", "data": [20000.5]},
    {"name": "country", "shape": [1], "datatype": "BYTES", "data": ["DE"]},
]
PACKAGES = {"mlserver": ["mlserver", "mlserver-sklearn"], "kserve": ["kserve", "scikit-learn", "pandas"]}


def prepare(folder: Path) -> None:
    """Environments, models and request bodies."""
    uv = str(Path(sys.executable).with_name("uv"))
    if not (folder / "world").exists():
        subprocess.run([sys.executable, "-c", RELEASE, str(folder / "world")], cwd=ROOT, check=True)
    for name, packages in PACKAGES.items():
        python = folder / name / "bin/python"
        if not python.exists():
            subprocess.run([uv, "venv", "-q", "--python", "3.11", str(folder / name)], check=True)
            subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *packages], check=True)
        (folder / f"{name}-model").mkdir(exist_ok=True)
        subprocess.run([str(python), "-c", FIT, str(folder / f"{name}-model" / "model.joblib")], check=True)
    settings = {
        "name": "churn",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "model.joblib"},
    }
    (folder / "mlserver-model/model-settings.json").write_text(json.dumps(settings))
    server = {"http_port": PORT, "grpc_port": PORT + 1, "metrics_port": PORT + 2, "parallel_workers": 0, "debug": False}
    (folder / "mlserver-model/settings.json").write_text(json.dumps(server))
    body = {"inputs": TENSORS}
    (folder / "mlbot.json").write_text(json.dumps(body))
    (folder / "mlserver.json").write_text(json.dumps({**body, "parameters": {"content_type": "pd"}}))
    (folder / "kserve.json").write_text(json.dumps({**body, "parameters": {"content_type": "pd"}}))


def measured(folder: Path, command: list[str], cwd: Path, body: Path, connections: int) -> dict[str, float]:
    """One server on core 0, the generator on core 1; requests a second and CPU microseconds a request."""
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(["taskset", "-c", "0", *command], cwd=cwd, env=environ, stdout=log, stderr=log)
    try:
        _wait(body)
        before = _cpu_s(process.pid)
        asking = [sys.executable, HERE / "load.py", PORT, "/v2/models/churn/infer", body, connections, SECONDS]
        command = ["taskset", "-c", "1", *map(str, asking)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout)
        found["cpu_us"] = round(1e6 * (_cpu_s(process.pid) - before) / max(1, found["n"]))
        return found
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(body: Path) -> None:
    for _ in range(600):
        time.sleep(0.2)
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{PORT}/v2/models/churn/infer",
                data=body.read_bytes(),
                headers={"Content-Type": "application/json"},
            )
            request.add_header("Content-Type", "application/json")
            urllib.request.urlopen(request, timeout=5).read()
            return
        except OSError as error:
            last = error.read() if hasattr(error, "read") else error
    raise SystemExit(f"the server does not answer: {last!r}")


def _cpu_s(pid: int) -> float:
    ticks = 0.0
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    for one in (str(pid), *children):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(exist_ok=True)
    prepare(folder)
    own = [sys.executable, "-c", MLBOT, "serve", "--environment", "production", "--port", str(PORT)]
    own += ["--repo", str(folder / "world/server"), "--runtime"]
    mlserver = [str(folder / "mlserver/bin/python"), "-m", "mlserver.cli.main", "start", "."]
    kserve = [str(folder / "kserve/bin/python"), "-c", KSERVE, str(folder / "kserve-model/model.joblib"), str(PORT)]
    servers = {
        "mlbot serve, ONNX": ([*own, "onnx"], ROOT, "mlbot.json"),
        "mlbot serve, skops": ([*own, "skops"], ROOT, "mlbot.json"),
        "MLServer, scikit-learn": (mlserver, folder / "mlserver-model", "mlserver.json"),
        "KServe SDK, scikit-learn": (kserve, folder, "kserve.json"),
    }
    print("| server | connections | requests/s | p50 ms | p99 ms | CPU us/request |\n|---|---|---|---|---|---|")
    for connections in (1, 8):
        found: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
        for _ in range(ROUNDS):
            for name, (command, cwd, body) in servers.items():
                found[name].append(measured(folder, command, cwd, folder / body, connections))
        for name, runs in found.items():
            middle = sorted(runs, key=lambda run: run["rps"])[len(runs) // 2]
            cells = [middle[key] for key in ("rps", "p50_ms", "p99_ms", "cpu_us")]
            print(f"| {name} | {connections} | " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
