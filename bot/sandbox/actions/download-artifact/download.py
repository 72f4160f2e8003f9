"""Copy artifacts of a run into a folder, by name, by pattern or all of them, as the real one lays them out."""

import fnmatch
import os
import shutil
import sys
from pathlib import Path


def main() -> int:
    store, run = Path(os.environ["SANDBOX_ARTIFACTS"]), os.environ["RUN"]
    if run != os.environ["GITHUB_RUN_ID"]:
        if not os.environ["TOKEN"]:
            print("::error::Artifacts of another run need `github-token`")
            return 1
        store = store.parent.parent / run / "artifacts"
    into = Path(os.environ["GITHUB_WORKSPACE"]) / os.environ["INTO"]
    name, pattern = os.environ["NAME"], os.environ["PATTERN"]
    there = sorted(one for one in store.iterdir() if one.is_dir()) if store.is_dir() else []
    if name:
        found = [one for one in there if one.name == name]
        if not found:
            print(f"::error::Unable to download artifact(s): Artifact not found for name: {name}")
            return 1
    else:
        found = [one for one in there if fnmatch.fnmatch(one.name, pattern or "*")]
    flat = bool(name) or os.environ["MERGE"] == "true"
    into.mkdir(parents=True, exist_ok=True)
    for one in found:
        shutil.copytree(one, into if flat else into / one.name, dirs_exist_ok=True)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"download-path={into}\n")
    print(f"Total of {len(found)} artifact(s) downloaded")
    return 0


sys.exit(main())
