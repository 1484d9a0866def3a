"""Alerts, their tests and their runbook belong together: `alerts.py ROOT`."""

import pathlib
import re
import sys

import yaml
from promql import known, problems

SEVERITIES = {"critical", "warning"}


def main(root: pathlib.Path) -> list[str]:
    folder = root / "deploy/prometheus"
    read = lambda name: yaml.safe_load((folder / name).read_text())
    metrics, found = known(root), []
    rules = [rule for file in ("recording.yaml", "alerts.yaml") for group in read(file)["groups"] for rule in group["rules"]]
    for rule in rules:
        if "record" in rule:
            metrics[rule["record"]] = set(re.findall(r"by \(([^)]*)\)", rule["expr"])[-1].split(", ")) if "by (" in rule["expr"] else set()
            metrics[rule["record"]].discard("le")
    for rule in rules:
        found += problems(rule["expr"], metrics)
    alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
    if len(alerts) != len([rule for rule in rules if "alert" in rule]):
        found.append("two alerts have one name")

    entries = {}
    for page in sorted((root / "docs/runbooks").glob("*.md")):
        for title in re.findall(r"^## (.+)$", page.read_text(), re.M):
            # As GitHub makes anchors of titles.
            anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            entries[f"docs/runbooks/{page.name}#{anchor}"] = title
    for name, alert in alerts.items():
        if alert.get("labels", {}).get("severity") not in SEVERITIES:
            found.append(f"{name} has no severity of {sorted(SEVERITIES)}")
        if not alert.get("annotations", {}).get("summary"):
            found.append(f"{name} has no summary")
        if entries.get(alert.get("annotations", {}).get("runbook_url", "")) != name:
            found.append(f"{name}: its runbook_url leads to no entry of that name")
    text = (root / "docs/runbooks/alerts.md").read_text()
    for title, entry in re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.M | re.S):
        if title not in alerts:
            found.append(f"docs/runbooks/alerts.md has {title}, and there is no such alert")
        for part in ("**You see**", "**It means**", "**Look**", "**Do**"):
            if part not in entry:
                found.append(f"docs/runbooks/alerts.md: {title} lacks {part}")

    silent, firing = set(), set()
    for test in read("alerts_test.yaml")["tests"]:
        for case in test["alert_rule_test"]:
            (firing if case["exp_alerts"] else silent).add(case["alertname"])
    found += [f"no test shows {name} silent" for name in alerts.keys() - silent]
    found += [f"no test shows {name} firing" for name in alerts.keys() - firing]

    said = yaml.safe_load((root / "deploy/alertmanager/alertmanager.yml").read_text())
    for rule in said.get("inhibit_rules", []):
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            for name in re.findall(r"Gitfleet\w+", matcher):
                if name not in alerts:
                    found.append(f"deploy/alertmanager: there is no alert {name}")
    print(f"{len(alerts)} alerts, each with a test and a runbook entry; {len(rules) - len(alerts)} recorded")
    return found


sys.exit("\n".join(main(pathlib.Path(sys.argv[1]))) or 0)
