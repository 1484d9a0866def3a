"""Manifests: `kubernetes.py FILE...`. Kubernetes' own schemas, oldest and newest version we support; those of the custom
resources; and what no schema says: who may what, and whether what refers to something finds it."""

import os
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

VERSIONS = ["1.27", "1.37"]
HERE = pathlib.Path(__file__).parent
# KEDA's own definitions, where somebody has them: files named as its repository names them.
KEDA = [os.environ.get("KEDA_CRDS", ""), "../shared/data/keda-crds"]


def schemas(file: str, ours: dict) -> list[str]:
    """Asks kubernetes-validate. Of a kind it does not know it only warns, which is refused unless the kind is in `ours`."""
    program = pathlib.Path(sys.executable).parent / "kubernetes-validate"
    versions = [word for version in VERSIONS for word in ("-k", version)]
    run = subprocess.run([program, "--strict", *versions, file], capture_output=True, text=True)
    said = (run.stdout + run.stderr).splitlines()
    found = [line for line in said if line.startswith("ERROR")]
    for line in said:
        unknown = re.search(r"WARN.*schema for kind (\w+)", line)
        if line.startswith("WARN") and not (unknown and unknown[1] in ours):
            found.append(line)
    if run.returncode and not found:
        found = said or ["kubernetes-validate failed"]
    return found


def strict(schema):
    """Makes unknown fields an error, as the server does not."""
    if isinstance(schema, dict):
        made = {key: strict(value) for key, value in schema.items()}
        fields = schema.get("properties")
        if schema.get("type") == "object" and isinstance(fields, dict) and "additionalProperties" not in schema:
            if not schema.get("x-kubernetes-preserve-unknown-fields"):
                made["additionalProperties"] = False
        return made
    return [strict(value) for value in schema] if isinstance(schema, list) else schema


def keda(kind: str):
    for folder in filter(None, KEDA):
        file = pathlib.Path(folder) / f"keda.sh_{kind.lower()}s.yaml"
        if file.exists():
            version = yaml.safe_load(file.read_text())["spec"]["versions"][0]
            return strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
    return None


def custom(one: dict, ours: dict) -> list[str]:
    kind, own = one["kind"], ours[one["kind"]]
    if one["apiVersion"] != own["apiVersion"]:
        return [f"{kind} is {own['apiVersion']}, and not {one['apiVersion']}"]
    found = []
    for schema in filter(None, [own["spec"], keda(kind) if "keda" in own["apiVersion"] else None]):
        for error in jsonschema.Draft202012Validator(schema).iter_errors(one["spec"]):
            found.append(f"{kind}: {'.'.join(map(str, error.absolute_path))}: {error.message}")
    return found


def pod(name: str, spec: dict) -> list[str]:
    """The restricted profile, limits, secrets by reference, and nothing that speaks to the cluster."""
    found = []
    want = lambda so, what: None if so else found.append(f"{name}: {what}")
    context = spec.get("securityContext", {})
    want(context.get("runAsNonRoot") is True and context.get("runAsUser", 0) > 0, "may run as root")
    want(context.get("seccompProfile", {}).get("type") == "RuntimeDefault", "no seccomp profile")
    want(spec.get("automountServiceAccountToken") is False, "a token of the cluster is mounted")
    want(not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")), "shares the host's namespaces")
    volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
    want(not any("hostPath" in volume for volume in volumes.values()), "mounts a folder of the host")
    for container in spec["containers"]:
        context = container.get("securityContext", {})
        want(context.get("readOnlyRootFilesystem") is True, "its root can be written")
        want(context.get("allowPrivilegeEscalation") is False, "may gain rights")
        want(context.get("capabilities", {}).get("drop") == ["ALL"], "keeps capabilities")
        resources = container.get("resources", {})
        want("memory" in resources.get("limits", {}), "no limit of memory")
        want({"cpu", "memory"} <= resources.get("requests", {}).keys(), "requests no cpu or memory")
        want(not container["image"].endswith(":latest") and ":" in container["image"], "an image without a version")
        for mount in container.get("volumeMounts", []):
            want(mount["name"] in volumes, f"mounts {mount['name']}, which is no volume")
        for variable in container.get("env", []):
            want("://" not in variable.get("value", ""), f"{variable['name']} holds an address")
            secret = re.search("TOKEN|PASSWORD|_URL|KEYS", variable["name"])
            want(not secret or variable["name"].endswith("_FILE"), f"{variable['name']} is no file")
    return found


def matches(selector: dict, labels: dict) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items()


def release(everything: list[dict]) -> list[str]:
    """What belongs together: probes, grace, selectors, scaling, who knows which secret."""
    found = []
    want = lambda so, what: None if so else found.append(what)
    deployments = {one["metadata"]["name"]: one for one in everything if one["kind"] == "Deployment"}
    pods = {one["metadata"]["name"]: one["spec"]["template"] for one in everything if one["kind"] in ("Deployment", "Job")}
    for name, template in pods.items():
        found += pod(name, template["spec"])
    for name, one in deployments.items():
        labels, spec = one["spec"]["template"]["metadata"]["labels"], one["spec"]["template"]["spec"]
        container = spec["containers"][0]
        want(matches(one["spec"]["selector"], labels), f"{name} does not select its own pods")
        for probe, path in (("livenessProbe", "/livez"), ("readinessProbe", "/readyz"), ("startupProbe", "/livez")):
            get = container.get(probe, {}).get("httpGet", {})
            ports = {port["name"] for port in container.get("ports", [])}
            want(get.get("path") == path and get.get("port") in ports, f"{name} has no {probe} at {path}")
        policies = [one for one in everything if one["kind"] == "NetworkPolicy" and matches(one["spec"]["podSelector"], labels)]
        want(not [1 for one in everything if one["kind"] == "NetworkPolicy"] or len(policies) == 2, f"{name} has not two network policies")
        if name.endswith("-worker"):
            text = yaml.safe_dump(spec)
            want("GITFLEET_DATABASE_URL" not in text and "API_TOKEN" not in text, f"{name} knows the store or the token")
            config = next(one for one in everything if one["kind"] == "ConfigMap")
            grace = yaml.safe_load(config["data"]["gitfleet.yaml"])["fleet"]["grace_seconds"]
            want(spec["terminationGracePeriodSeconds"] >= grace + 10, f"{name} is killed before its jobs' grace is over")
    for one in everything:
        name, spec = f"{one['kind']} {one['metadata']['name']}", one.get("spec", {})
        if one["kind"] in ("PodDisruptionBudget", "PodMonitor"):
            want(any(matches(spec["selector"], pod["metadata"]["labels"]) for pod in pods.values()), f"{name} selects nothing")
        if one["kind"] == "Service":
            want(any(spec["selector"].items() <= pod["metadata"]["labels"].items() for pod in pods.values()), f"{name} selects nothing")
        if one["kind"] in ("ScaledObject", "HorizontalPodAutoscaler"):
            target = deployments.get(spec["scaleTargetRef"]["name"])
            want(target is not None, f"{name} scales nothing")
            want(target is None or "replicas" not in target["spec"], f"{name}: the Deployment says a number, too")
            named = re.findall(r"gitfleet_desired_workers|desired_workers", yaml.safe_dump(spec))
            want(named, f"{name} does not ask for the wanted workers")
        if one["kind"] == "NetworkPolicy" and one["metadata"]["name"].endswith("-worker"):
            world = [to["ipBlock"] for rule in spec["egress"] for to in rule.get("to", []) if "ipBlock" in to]
            private = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"}
            want(world and all(private <= set(block.get("except", [])) for block in world if block["cidr"] == "0.0.0.0/0"), f"{name} lets workers into private networks")
        want(one["kind"] != "Secret", f"{name}: secrets are made by somebody else")
    return found


def main(files: list[str]) -> list[str]:
    ours, found, count = yaml.safe_load((HERE / "crds.yaml").read_text()), [], 0
    everything = []
    for file in files:
        found += [f"{file}: {one}" for one in schemas(file, ours)]
        everything += [one for one in yaml.safe_load_all(pathlib.Path(file).read_text()) if one]
    for one in everything:
        if one["kind"] in ours:
            found += custom(one, ours)
    found += release(everything)
    own = "KEDA's own definitions" if keda("ScaledObject") else "KEDA by our schema alone"
    print(f"{len(everything)} objects, Kubernetes {' and '.join(VERSIONS)}, {own}")
    return found


sys.exit("\n".join(main(sys.argv[1:])) or 0)
