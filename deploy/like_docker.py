"""Do what the Dockerfile says without Docker: `python deploy/like_docker.py [FOLDER] [--arg TORCH_FROM=]`.

The steps are read from the Dockerfile and carried out one by one in an empty folder, with the places of the image below
it (/opt/scviz, /source, /data); then the command of the image is started, without what leads to the repository, and its
health check asked until it says yes. What belongs to the machine of an image alone is named and left out: its base, its
user, its volume. So this shows that the steps fit each other and how large the result is, not that Docker builds it.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PLACES = ("/opt/scviz", "/source", "/data")
OF_THE_IMAGE = ("FROM", "USER", "VOLUME", "EXPOSE", "SHELL", "LABEL")
STARTS_WITHIN = 300.0
PORT = "8501"


@dataclass(kw_only=True)
class Build:
    """What the steps have come to so far."""

    folder: Path
    env: dict[str, str]
    args: dict[str, str]
    cwd: Path = field(default_factory=Path)
    words: dict[str, list[str]] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """Put the places of the image below the folder."""
        for place in PLACES:
            text = re.sub(rf"{place}(?![\w-])", f"{self.folder}{place}", text)
        return text


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Give the steps of a Dockerfile: the word in capitals, and what stands behind it."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for step in "\n".join(lines).replace("\\\n", " ").splitlines():
        if step.strip():
            word, _, rest = step.strip().partition(" ")
            yield word, rest


def carry_out(build: Build, word: str, rest: str) -> None:
    """Carry a step out."""
    if word in OF_THE_IMAGE or (word == "RUN" and "useradd" in rest) or "--from=" in rest:
        say(f"left out: {word} {rest}")
    elif word in WORDS:
        build.words[word] = json.loads(rest[rest.index("[") :])
    else:
        HOW[word](build, rest)


def _arg(build: Build, rest: str) -> None:
    name, _, value = rest.partition("=")
    build.args.setdefault(name, value.strip('"'))


def _env(build: Build, rest: str) -> None:
    for pair in shlex.split(build.here(rest)):
        name, _, value = pair.partition("=")
        build.env[name] = value.replace(f"${name}", build.env.get(name, ""))


def _workdir(build: Build, rest: str) -> None:
    build.cwd = Path(build.here(rest))
    build.cwd.mkdir(parents=True, exist_ok=True)


def _copy(build: Build, rest: str) -> None:
    *sources, target = rest.split()
    for source in sources:
        copy(source, (build.cwd / target).resolve())


def _run(build: Build, rest: str) -> None:
    began = time.monotonic()
    subprocess.run(build.here(rest), shell=True, check=True, cwd=build.cwd, env=build.env | build.args)
    say(f"{time.monotonic() - began:.0f} s: RUN {rest}")


HOW = {"ARG": _arg, "ENV": _env, "WORKDIR": _workdir, "COPY": _copy, "RUN": _run}
WORDS = ("ENTRYPOINT", "CMD", "HEALTHCHECK")


def copy(source: str, target: Path) -> None:
    """Copy from the repository, without what .dockerignore names."""
    origin = TOP / source
    if origin.is_file():
        shutil.copyfile(origin, target / origin.name if target.is_dir() else target)
        return
    shutil.copytree(origin, target, dirs_exist_ok=True, ignore=_ignored)


def _ignored(folder: str, names: list[str]) -> set[str]:
    """Tell which names of a folder do not go along: as Docker does, the last line that fits decides."""
    rules = (TOP / ".dockerignore").read_text("utf-8").split()
    out = set()
    for name in names:
        path = (Path(folder) / name).relative_to(TOP).as_posix()
        for rule in rules:
            pattern = rule.lstrip("!").removeprefix("**/")
            fits = fnmatch.fnmatchcase(path, pattern) or (
                rule.startswith("**/") and fnmatch.fnmatchcase(name, pattern)
            )
            if fits and not ("*" in pattern and "/" in path and not rule.startswith("**/")):
                (out.discard if rule.startswith("!") else out.add)(name)
    return out


def serve(build: Build) -> None:
    """Start the command of the image as a demo, and ask its health check."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    home = build.folder / "data"
    env = {**build.env, "SCVIZ_HOME": str(home), "SCVIZ_DEMO": "1"}
    bin_folder = build.folder / "opt" / "scviz" / "bin"
    name, *more = [*build.words["ENTRYPOINT"], *build.words["CMD"]]
    ours = ["127.0.0.1" if word == "0.0.0.0" else word for word in more]
    process = subprocess.Popen([str(bin_folder / name), *ours, "--port", port], env=env, cwd=home)
    interpreter, *check = [word.replace(PORT, port) for word in build.words["HEALTHCHECK"] if word != "CMD"]
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while subprocess.run(
            [str(bin_folder / interpreter), *check], env=env, stderr=subprocess.DEVNULL
        ).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("it did not become healthy")
            time.sleep(2)
        say("healthy: the command of the image serves the dashboard, and its health check says yes")
    finally:
        process.terminate()
        process.wait(60)


def main() -> None:
    """Build, tell the size, serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="empty, and stays; else one that goes")
    parser.add_argument("--arg", action="append", default=[], help="NAME=VALUE, as --build-arg of Docker")
    options = parser.parse_args()
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with tempfile.TemporaryDirectory() as going:
        folder = (options.folder or Path(going)).absolute()
        build = Build(folder=folder, env=plain, args=dict(one.split("=", 1) for one in options.arg))
        for place in PLACES:
            (folder / place[1:]).mkdir(parents=True, exist_ok=True)
        for word, rest in steps((TOP / "Dockerfile").read_text("utf-8")):
            carry_out(build, word, rest)
        size = sum(
            one.stat().st_size
            for one in (folder / "opt").rglob("*")
            if one.is_file() and not one.is_symlink()
        )
        say(f"{size / 1e9:.2f} GB in /opt/scviz; the base image adds about 0.13 GB")
        serve(build)


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
