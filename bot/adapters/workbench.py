"""The machine that training runs on: files, cores, time and memory."""

from __future__ import annotations

import os
import platform
import re
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.adapters.absent import skops_io
from bot.adapters.limits import Limits
from bot.adapters.tables import column_names, read_table
from bot.errors import UserError, WorldError
from bot.records.training import Machine

if TYPE_CHECKING:
    from bot.specs.contract import Contract
    from bot.specs.model import ModelSpec

NUMERICAL = ("numpy", "scipy", "scikit-learn", "pyarrow", "skops", "skl2onnx", "onnxruntime", "joblib", "threadpoolctl")
SCHEDULER_WAIT_S = 10.0  # for a Dask scheduler to answer at all
WORTH_PROCESSES_S = 4.0  # starting processes that import scikit-learn takes about as long on two cores
_ADDRESS = re.compile(r"(tcp|tls)://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}", re.ASCII)
Tell = Callable[[str, int, int], None]


class LocalWorkbench:
    """The Workbench port over two folders: `data_dir` holds `data/`, `out` receives the artifact.

    `contract` None means that the data are not checked. `tell` receives (phase, done, total). `limits` are those of the
    team, for what the spec does not say.
    """

    def __init__(
        self,
        data_dir: Path,
        out: Path,
        tell: Tell | None = None,
        *,
        contract: Contract | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.data_dir, self.out = data_dir, out
        self._tell, self._contract, self._limits = tell, contract, limits or Limits()
        self._start = time.monotonic()

    def column_names(self, spec: ModelSpec) -> tuple[str, ...]:
        """Columns of the model's data."""
        return column_names(spec, self.data_dir)

    def read(self, spec: ModelSpec, columns: Sequence[str] | None) -> Any:
        """The rows, checked against the contract if there is one."""
        table = read_table(spec, self.data_dir, columns, self._contract, limits=self._limits)
        skops_io()  # the artifact needs it; imported here, it is cheaper than by `bot.train.canonical`
        return table

    def sensitive(self) -> frozenset[str]:
        """Columns that the contract marks."""
        return self._contract.sensitive if self._contract is not None else frozenset()

    def write(self, name: str, data: bytes) -> None:
        """One file of the artifact folder, whole or not at all."""
        self.out.mkdir(parents=True, exist_ok=True)
        part = self.out / f".{name}.part"
        part.write_bytes(data)
        part.replace(self.out / name)

    def tell(self, phase: str, done: int, total: int) -> None:
        """Progress for people."""
        if self._tell is not None:
            self._tell(phase, done, total)

    def elapsed(self) -> float:
        """Wall seconds since the bench was made."""
        return time.monotonic() - self._start

    def cores(self) -> int:
        """Cores of this process's affinity mask."""
        return len(os.sched_getaffinity(0))

    def machine(self) -> Machine:
        """Architecture, CPU, BLAS kernel and versions."""
        from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

        pools = threadpool_info()
        blas = [f"{pool.get('internal_api')} {pool.get('architecture', '')}".strip() for pool in pools]
        return Machine(
            architecture=platform.machine(),
            cpu=_cpu(),
            python=platform.python_version(),
            threads=max((int(pool["num_threads"]) for pool in pools), default=1),
            blas=", ".join(dict.fromkeys(blas)),
            packages=dict(_versions()),
        )

    def peak_memory_bytes(self) -> int:
        """Maximum resident set of the process (Linux counts it in KiB)."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def limited(self, memory_bytes: int | None) -> AbstractContextManager[None]:
        """None: what the team allows, else nine tenths of the machine's memory."""
        return within(self._limits.process(memory_bytes))

    def map(
        self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], jobs: int, dask: str | None
    ) -> list[Any]:
        """Results in order. One job runs here; more run in processes with one BLAS and OpenMP thread each.

        The first task tells how long the rest takes: what is done sooner than processes start stays here.
        """
        from concurrent.futures.process import BrokenProcessPool

        from joblib import Parallel, delayed, parallel_config
        from threadpoolctl import threadpool_limits

        tasks = list(tasks)
        first: list[Any] = []
        if dask is None and tasks:
            with threadpool_limits(limits=1):
                began = time.monotonic()
                first = [function(*tasks[0])]
                rest_s = (time.monotonic() - began) * (len(tasks) - 1)
                tasks = tasks[1:]
                if jobs == 1 or rest_s < WORTH_PROCESSES_S:
                    return first + [function(*task) for task in tasks]
        with ExitStack() as stack:
            if dask is None:
                stack.enter_context(parallel_config("loky", inner_max_num_threads=1))
            else:
                stack.enter_context(_cluster(dask))
            try:
                results: list[Any] = Parallel(n_jobs=jobs if dask is None else -1)(
                    delayed(function)(*task) for task in tasks
                )
            except BrokenProcessPool as error:
                message = f"a process of the search was killed: {str(error).splitlines()[0]}"
                hint = "Most often for want of memory: set `resources.jobs: 1`, or name a larger runner."
                raise UserError(message, hint=hint, code="memory_exceeded") from None
            return first + results


@contextmanager
def within(memory_bytes: int) -> Iterator[None]:
    """What would take the process beyond so many bytes fails with MemoryError.

    The kernel counts what is reserved, too, for example a GiB by Arrow: that comes on top of the limit.
    """
    import pyarrow as pa

    pa.array([0])  # reserves now what it would reserve later
    used, held = (_status_bytes(name) for name in ("VmData", "VmRSS"))
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = memory_bytes + max(0, used - held)
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _cluster(address: str) -> AbstractContextManager[Any]:
    """joblib's own backend on a Dask cluster."""
    from joblib import parallel_config

    _check_address(address)
    try:
        from distributed import Client
    except ImportError:
        raise WorldError(
            "a Dask cluster is named, and `distributed` is not installed",
            hint="Install `mlbot[dask]`.",
            code="dask_missing",
        ) from None
    stack = ExitStack()
    try:
        client = stack.enter_context(Client(address, timeout=SCHEDULER_WAIT_S, set_as_default=False))
    except OSError as error:
        raise WorldError(f"no Dask scheduler answers at {address}: {error}", code="dask_unreachable") from None
    stack.enter_context(parallel_config("dask", client=client, wait_for_workers_timeout=30))
    return stack


def _check_address(address: str) -> None:
    """Who answers there runs code here: so the connection is to this machine, or it is encrypted and authenticated."""
    import ipaddress

    found = _ADDRESS.fullmatch(address)
    if found is None:
        hint = "Write tls://host:port."
        raise UserError(f"{address[:80]!r} is no address of a Dask scheduler", hint=hint, code="dask_address")
    scheme, host = found[1], found[2].strip("[]")
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    if scheme != "tls" and not is_here:
        raise UserError(
            f"{address} is not encrypted, and whoever answers there runs code here",
            hint="Give the scheduler a certificate and write tls://host:port; "
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, __CLIENT__CERT and __CLIENT__KEY say whom to trust.",
            code="dask_insecure",
        )


def _status_bytes(name: str) -> int:
    """A line of /proc/self/status (https://man7.org/linux/man-pages/man5/proc_pid_status.5.html), which counts KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _versions() -> Iterator[tuple[str, str]]:
    """Of the numerical packages that are installed."""
    for name in NUMERICAL:
        with suppress(metadata.PackageNotFoundError):
            yield name, metadata.version(name)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "CPU part"))]
    return names[0] if names else platform.processor() or "unknown"
