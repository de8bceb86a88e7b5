"""A place on this machine that answers like huggingface.co, with a tiny Geneformer as its authors lay it out."""

from __future__ import annotations

import hashlib
import json
import pickle  # noqa: TID251 - the published dictionaries are pickles
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch
from safetensors.torch import save_file

from scviz.foundation.card import ReleasedCheckpoint, ReleasedFile
from scviz.models.geneformer.config import tiny
from scviz.models.geneformer.network import TIED, Network

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "someone/Geneformer"
GENES = [f"ENSG{i:011d}" for i in range(8)]


@dataclass
class Hub:
    """What the place holds, and what was asked of it."""

    files: dict[str, bytes]
    endpoint: str = ""
    cut_after: int = 0
    """Bytes after which an answer is cut off, once; 0 never."""
    asked: list[str] = field(default_factory=list)
    """Method, path and range of every request."""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Hub]:
    """Answer while the block runs: HEAD with the facts of a file, a redirect for weights, GET with ranges."""
    hub = Hub(files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answers", (_Answers,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Answers(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        asked_range = self.headers.get("Range", "")
        self.hub.asked.append(f"{self.command} {self.path} {asked_range}".strip())
        stored = self.path.startswith("/storage/")
        path = re.sub(rf"^/(storage|{REPOSITORY}/resolve/(main|{COMMIT}))/", "", self.path)
        if path not in self.hub.files:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = self.hub.files[path]
        etag = hashlib.sha256(content).hexdigest()
        if path.endswith(".safetensors") and not stored:
            self.send_response(302)
            self.send_header("Location", f"{self.hub.endpoint}/storage/{path}")
            self.send_header("X-Linked-Size", str(len(content)))
            self.send_header("X-Linked-ETag", f'"{etag}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int(asked_range.removeprefix("bytes=").rstrip("-") or 0)
        self.send_response(206 if asked_range else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Length", str(len(content) - start))
        if asked_range:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body:
            cut, self.hub.cut_after = (self.hub.cut_after, 0) if stored else (0, self.hub.cut_after)
            self.wfile.write(content[start:][:cut] if cut else content[start:])
            self.close_connection = bool(cut) or self.close_connection


def published_files(folder: Path) -> dict[str, bytes]:
    """Make a tiny Geneformer V1: its folder of weights, and the dictionaries in theirs."""
    tokens = {"<pad>": 0, "<mask>": 1} | {gene: i + 2 for i, gene in enumerate(GENES)}
    config = tiny(len(tokens))
    torch.manual_seed(0)
    weights = Network(config).lm.state_dict()
    save_file({name: weights[name] for name in weights if name not in TIED}, folder / "w.safetensors")
    return {
        "Tiny/config.json": json.dumps(config.to_bert() | {"model_type": "bert"}).encode(),
        "Tiny/model.safetensors": (folder / "w.safetensors").read_bytes(),
        "geneformer/token_dictionary_gc30M.pkl": pickle.dumps(tokens),
        "geneformer/gene_median_dictionary_gc30M.pkl": pickle.dumps(dict.fromkeys(GENES, 1.5)),
        "geneformer/not_needed.bin": b"nobody asks for this",
    }


def release(files: dict[str, bytes]) -> ReleasedCheckpoint:
    """Describe what is published, with every hash."""
    wanted = {path: content for path, content in files.items() if "not_needed" not in path}
    return ReleasedCheckpoint(
        name="Tiny",
        size_mb=1,
        description="Random weights.",
        hub=REPOSITORY,
        files=tuple(
            ReleasedFile(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest()[:12])
            for path, content in wanted.items()
        ),
    )
