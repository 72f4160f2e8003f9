#!/bin/sh
# Trains on this machine and on an emulated aarch64 (real aarch64 wheels under qemu-user), and compares the predictions.
# Needs Debian or Ubuntu with apt-get and, once, root to install qemu-user-static. `make test-arm64` runs it.
# Where it runs on aarch64 already, emulation is left out: the other side is what an x86-64 machine predicted before.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${1:-"${TMPDIR:-/tmp}/mlbot-arm64"}
python=${PYTHON:-"$root/.venv/bin/python"}
uv=${UV:-"$root/.venv/bin/uv"}
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
mkdir -p "$work"

rm -rf "$work/host" "$work/arm64"
(cd "$root" && "$python" -c "import pathlib, sys; from tests.real_data import fetch; fetch(pathlib.Path(sys.argv[1]))" "$work")
"$python" "$here/fit.py" "$work/host" "$work"
if [ "$(uname -m)" = aarch64 ]; then
    exec "$python" "$here/compare.py" "$here/x86_64" "$work/host"
fi

if ! command -v qemu-aarch64-static >/dev/null; then
    apt-get install -y --no-install-recommends qemu-user-static
fi

if [ ! -x "$work/root/usr/bin/python3.11" ]; then
    # A Debian arm64 Python unpacked beside us: no chroot, no binfmt, no second stage.
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs" "$work/root"
    options="-oAPT::Architecture=arm64 -oAPT::Architectures=arm64 -oDir::State::Lists=$work/lists"
    options="$options -oDir::Cache::archives=$work/archives -oAPT::Sandbox::User=root"
    # shellcheck disable=SC2086 # one word an option is meant
    apt-get -qq $options update
    (
        cd "$work/debs"
        # shellcheck disable=SC2086
        apt-get -qq $options download libc6 libgcc-s1 libstdc++6 libgomp1 zlib1g libexpat1 libffi8 libbz2-1.0 liblzma5 \
            libssl3 libsqlite3-0 libuuid1 libncursesw6 libtinfo6 libreadline8 libnsl2 libtirpc3 \
            python3.11-minimal libpython3.11-minimal libpython3.11-stdlib python3.11
        for deb in *.deb; do dpkg-deb -x "$deb" "$work/root"; done
    )
fi

# Exactly the locked versions, as aarch64 wheels only (antlr4 has no wheel on any architecture).
(cd "$root" && "$uv" export --frozen --no-dev --no-emit-project --no-hashes --format requirements-txt -q) >"$work/locked.txt"
grep -E '^(numpy|scipy|scikit-learn|pyarrow|skops|joblib|threadpoolctl|pydantic|pydantic-core|pyyaml|jinja2|markupsafe|orjson|click|packaging|prettytable|wcwidth|narwhals|annotated-types|typing-extensions|typing-inspection)==' \
    "$work/locked.txt" >"$work/training.txt"
"$uv" pip install -q --only-binary :all: --compile-bytecode --python-version 3.11 \
    --python-platform aarch64-unknown-linux-gnu --target "$work/site" -r "$work/training.txt"

PYTHONPATH="$work/site" qemu-aarch64-static -L "$work/root" "$work/root/usr/bin/python3.11" "$here/fit.py" "$work/arm64" "$work"
"$python" "$here/compare.py" "$work/host" "$work/arm64"
