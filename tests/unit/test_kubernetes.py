"""The example for Kubernetes, as far as it can be judged without a cluster: what belongs together fits, every
container is hardened and probes itself, and every setting is one that there is."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from trainyard.settings import REPOSITORY

FILE = REPOSITORY / "deploy" / "kubernetes.yaml"
ITEMS: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())["items"]
WORKLOADS = {one["metadata"]["name"]: one for one in ITEMS if one["kind"] in ("Deployment", "StatefulSet")}
SERVICES = {one["metadata"]["name"]: one for one in ITEMS if one["kind"] == "Service"}
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = workload["spec"]["template"]["spec"]
    return found


def container(name: str) -> dict[str, Any]:
    [only] = pod(WORKLOADS[name])["containers"]
    return dict(only)


def settings_that_there_are() -> set[str]:
    packages = ("trainyard", "app", "workers")
    files = [path for name in packages for path in (REPOSITORY / name).rglob("*.py")]
    return {name for path in files for name in re.findall(r"TRAINYARD_[A-Z0-9_]+", path.read_text())}


def test_it_has_all_parts():
    names = {"redis", "web", "worker-cpu", "worker-gpu", "ingest"}
    assert WORKLOADS.keys() == {f"trainyard-{name}" for name in names}


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_is_selected_hardened_and_probes_itself(name: str):
    workload, found = WORKLOADS[name], container(name)
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert workload["spec"]["selector"]["matchLabels"] == labels
    security = found["securityContext"]
    assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert pod(workload)["securityContext"]["runAsNonRoot"] is True
    assert pod(workload)["automountServiceAccountToken"] is False
    assert "livenessProbe" in found
    assert "readinessProbe" in found or "startupProbe" in found


@pytest.mark.parametrize("name", WORKLOADS)
def test_users_volumes_and_settings_are_those_that_there_are(name: str):
    found, spec = container(name), pod(WORKLOADS[name])
    claims = WORKLOADS[name]["spec"].get("volumeClaimTemplates", [])
    volumes = {one["name"] for one in spec.get("volumes", [])} | {one["metadata"]["name"] for one in claims}
    assert {one["name"] for one in found["volumeMounts"]} == volumes
    variables = {one["name"] for one in found["env"]}
    assert {one for one in variables if one.startswith("TRAINYARD_")} <= settings_that_there_are()
    for text in texts(found):
        assert set(re.findall(r"\$\((\w+)\)", text)) <= variables
    if found["image"].startswith("trainyard-"):
        image = (
            REPOSITORY / "deploy" / f"Dockerfile.{found['image'].removeprefix('trainyard-')}"
        ).read_text()
        assert f"--uid {spec['securityContext']['runAsUser']} " in image


def texts(value: Any) -> Iterator[str]:
    """All texts within JSON data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)


def test_services_lead_to_ports_of_pods():
    for service in SERVICES.values():
        selected = [
            pod(one)["containers"][0]
            for one in WORKLOADS.values()
            if one["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]
        ]
        ports = {port["containerPort"] for one in selected for port in one["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} == ports
    urls = {
        one["value"] for name in WORKLOADS for one in container(name)["env"] if "REDIS_URL" in one["name"]
    }
    assert urls == {"redis://:$(REDIS_PASSWORD)@trainyard-redis:6379/0"}


@pytest.mark.parametrize("name", ["worker-cpu", "worker-gpu", "ingest"])
def test_workers_are_probed_and_ended_as_in_compose(name: str):
    own = COMPOSE["ingest" if name == "ingest" else "worker"]
    found = container(f"trainyard-{name}")
    assert found["livenessProbe"]["exec"]["command"] == own["healthcheck"]["test"][1:]
    assert found.get("command") == own.get("command")
    grace = {"60s": 60, "10m": 600}[own["stop_grace_period"]]
    assert pod(WORKLOADS[f"trainyard-{name}"])["terminationGracePeriodSeconds"] == grace


def test_redis_writes_before_it_answers_as_in_compose():
    own = [
        part.replace("${REDIS_PASSWORD:?run make env}", "$(REDIS_PASSWORD)")
        for part in COMPOSE["redis"]["command"]
    ]
    assert container("trainyard-redis")["command"] == own


def test_only_the_worker_of_a_gpu_asks_for_one():
    asking = [
        name for name in WORKLOADS
        if "nvidia.com/gpu" in container(name).get("resources", {}).get("limits", {})
    ]  # fmt: skip
    assert asking == ["trainyard-worker-gpu"]
