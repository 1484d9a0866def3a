"""Dashboards for Grafana: what can be known of them without one. `dashboards.py ROOT` checks them, `dashboards.py ROOT
--sql` prints their queries, one a line, as Grafana would send them."""

import json
import pathlib
import re
import sys

import yaml
from promql import known, problems

# What Grafana puts in the place of its macros and variables, for the time of a year.
SENT = [
    (r"\$__unixEpochFilter\(([^)]*)\)", r"\1 >= 1735689600 AND \1 <= 1767225599"),
    (r"'\$revisions'", "'default'"),
    (r"\$repository", "'a','b'"),
]


def targets(dashboard: dict):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel, target


def sql(root: pathlib.Path):
    for file in sorted((root / "deploy/grafana/dashboards").glob("*.json")):
        dashboard = json.loads(file.read_text())
        queries = [target["rawSql"] for _, target in targets(dashboard) if "rawSql" in target]
        queries += [one["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
        for query in queries:
            for macro, sent in SENT:
                query = re.sub(macro, sent, query)
            if "$" in query:
                raise SystemExit(f"{file.name}: a variable that this check does not know: {query}")
            yield query.replace("\n", " ")


def main(root: pathlib.Path) -> list[str]:
    metrics, found, count = known(root), [], 0
    for group in yaml.safe_load((root / "deploy/prometheus/recording.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            metrics[rule["record"]] = {"kind", "outcome", "operation", "token"}
    uids = set()
    files = sorted((root / "deploy/grafana/dashboards").glob("*.json"))
    for file in files:
        dashboard = json.loads(file.read_text())
        if dashboard["uid"] in uids:
            found.append(f"{file.name}: its uid is another dashboard's")
        uids.add(dashboard["uid"])
        ids, taken = set(), set()
        for panel in dashboard["panels"]:
            name = f"{file.name}: {panel.get('title')}"
            if panel["id"] in ids or not panel.get("title"):
                found.append(f"{name}: no title, or another panel's id")
            ids.add(panel["id"])
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            if cells & taken or at["x"] + at["w"] > 24:
                found.append(f"{name}: lies over another one, or outside")
            taken |= cells
            if panel["type"] != "row" and not panel.get("targets"):
                found.append(f"{name}: asks nothing")
        for panel, target in targets(dashboard):
            count += 1
            name = f"{file.name}: {panel['title']}"
            if panel["datasource"]["uid"] != "${datasource}":
                found.append(f"{name}: a source of data that only one Grafana has")
            if "expr" in target:
                found += [f"{name}: {one}" for one in problems(target["expr"], metrics)]
            elif not target.get("rawSql", "").startswith("SELECT "):
                found.append(f"{name}: neither PromQL nor a SELECT")
    print(f"{len(files)} dashboards, {count} queries")
    return found


if __name__ == "__main__":
    if "--sql" in sys.argv:
        for one in sql(pathlib.Path(sys.argv[1])):
            print(one)
    else:
        sys.exit("\n".join(main(pathlib.Path(sys.argv[1]))) or 0)
