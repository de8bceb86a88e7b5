"""What servers are made of: each file says what the product understands, and lets nobody in who is not asked.

Docker and Kubernetes cannot run in tests. Checked here is what can be: settings by the product itself, commands by
their own parsers, names by each other; `python deploy/check.py` adds hadolint and the schemas of Kubernetes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker

from scviz.cli import parser
from scviz.settings import ROOT, Settings

DASK = {"scheduler": dask_scheduler, "worker": dask_worker}
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
MANIFESTS = [
    document
    for path in sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text("utf-8"))
]
DOCUMENTED = ("scviz-key", "scviz-login", "scviz-database", "scviz-tls")
"""Secrets that docs/deploying.md says how to make."""


def steps() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def filled(text: str) -> str:
    """Fill in what compose takes from its environment."""
    return re.sub(r"\$\{\w+(?::([-?])([^}]*))?\}", lambda m: m[2] if m[1] == "-" else "a@b.org", str(text))


def scviz_env(env: Mapping[str, str]) -> dict[str, str]:
    return {name: filled(value) for name, value in env.items() if name.startswith("SCVIZ_")}


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Give each container of Kubernetes with its name and its pod."""
    for one in MANIFESTS:
        spec = one.get("spec", {})
        pods = [spec["template"]["spec"]] if "template" in spec else []
        pods += [spec[part]["spec"] for part in DASK if one["kind"] == "DaskCluster"]
        for pod in pods:
            for container in pod["containers"]:
                yield container["name"], container, pod


def test_an_image_runs_as_nobody_special_has_a_health_check_and_torch_for_cpus() -> None:
    of_last = steps()[max(i for i, (word, _) in enumerate(steps()) if word == "FROM") :]
    found = dict(of_last)
    assert found["USER"] == "1000"
    assert found["FROM"].endswith("-slim-bookworm")
    assert "/readyz" in found["HEALTHCHECK"]
    assert [word for word, _ in steps() if word == "ADD"] == []
    (index,) = [rest for word, rest in steps() if word == "ARG"]
    assert "https://download.pytorch.org/whl/cpu" in index


def test_what_the_image_starts_is_a_command_and_refuses_to_let_anybody_in_by_itself() -> None:
    found = dict(steps())
    assert found["ENTRYPOINT"] == '["scviz"]'
    options = parser().parse_args(yaml.safe_load(found["CMD"]))
    assert (options.host, options.open) == ("0.0.0.0", False)


def test_secrets_and_local_things_do_not_go_into_the_image() -> None:
    rules = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert rules[0] == ".*"
    assert rules.index(".streamlit/secrets.toml") > rules.index("!.streamlit")


@pytest.mark.parametrize("name", ["web", "worker"])
def test_compose_says_settings_that_the_product_understands(name: str) -> None:
    settings = Settings.from_env(scviz_env(COMPOSE["services"][name]["environment"]))
    assert settings.database.startswith("postgresql://scviz:")
    if name == "web":
        assert settings.login
        assert settings.scheduler.startswith("tls://")


def test_compose_offers_the_proxy_alone_to_the_world_and_nothing_may_become_root() -> None:
    services = COMPOSE["services"]
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    assert COMPOSE["networks"]["within"] == {"internal": True}
    for name in ("scheduler", "database"):
        assert services[name]["networks"] == ["within"]
    for name in ("web", "scheduler", "worker", "make-key"):
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["read_only"] is True
    parser().parse_args(services["web"]["command"])
    folder = COMPOSE["x-tls"]["DASK_DISTRIBUTED__COMM__TLS__CA_FILE"].rpartition("/")[0]
    assert services["web"]["environment"]["SCVIZ_SCHEDULER_KEY"] == folder
    assert f"scviz cluster-key {folder}" in services["make-key"]["command"][0]


@pytest.mark.parametrize("kind", DASK)
def test_schedulers_and_workers_are_started_with_options_that_dask_knows_and_tls(kind: str) -> None:
    service = COMPOSE["services"][kind]
    (container,) = [one for name, one, _ in containers() if name == kind]
    assert service["entrypoint"] == container["command"] == ["dask", kind]
    for arguments in (service["command"], container["args"]):
        DASK[kind].make_context(kind, [str(one) for one in arguments])
        assert any("tls://" in one for one in arguments)
    for env in (service["environment"], {one["name"]: one.get("value") for one in container["env"]}):
        assert env["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true"
        assert f"DASK_DISTRIBUTED__COMM__TLS__{kind.upper()}__KEY" in env


def test_containers_of_kubernetes_say_settings_that_the_product_understands_and_are_not_root() -> None:
    found = {name: (container, pod) for name, container, pod in containers()}
    assert set(found) == {"scheduler", "worker", "web", "postgres"}
    for container, pod in found.values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        env = {one["name"]: one.get("value", "") for one in container["env"]}
        Settings.from_env(scviz_env(env))
    web = found["web"][0]
    options = parser().parse_args(web["args"])
    assert options.open is False
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_manifests_name_nothing_that_is_not_there() -> None:
    claims = {one["metadata"]["name"] for one in MANIFESTS if one["kind"] == "PersistentVolumeClaim"}
    guide = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    for _, container, pod in containers():
        volumes = {one["name"]: one for one in pod.get("volumes", [])}
        mounted = {one["name"] for one in container["volumeMounts"]}
        assert mounted - set(volumes) <= {"data"}  # that of PostgreSQL, by its template
        for one in volumes.values():
            assert one.get("persistentVolumeClaim", {}).get("claimName", "workspace") in claims
            assert one.get("secret", {}).get("secretName", "scviz-key") in DOCUMENTED
    assert all(name in guide for name in DOCUMENTED)
    (kustomization,) = [one for one in MANIFESTS if one["kind"] == "Kustomization"]
    files = {path.name for path in (ROOT / "deploy" / "kubernetes").glob("*.yaml")}
    assert set(kustomization["resources"]) == files - {"kustomization.yaml"}


def test_proxies_pass_the_name_and_the_path_on() -> None:
    nginx = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    assert "proxy_set_header Host $http_host;" in nginx
    assert re.search(r"proxy_pass http://[\d.]+:8501;", nginx)  # a slash behind it would take the path away
    caddy = (ROOT / "deploy" / "Caddyfile").read_text("utf-8")
    assert "reverse_proxy web:8501" in caddy
    assert "respond @within 404" in caddy
