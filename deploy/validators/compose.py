"""What Docker Compose does not ask of a file that it has read: `compose.py CONFIG.json`."""

import json
import pathlib
import re
import sys


def main(config: dict) -> list[str]:
    found = []
    for name, service in config["services"].items():
        want = lambda so, what: None if so else found.append(f"{name}: {what}")
        want(service.get("deploy", {}).get("resources", {}).get("limits", {}).get("memory"), "no limit of memory")
        want(":" in service["image"] and not service["image"].endswith(":latest"), "an image without a version")
        want(service.get("healthcheck") , "no health check")
        for key, value in (service.get("environment") or {}).items():
            secret = re.search("TOKEN|PASSWORD|_URL|_KEY", key)
            want(not secret or key.endswith("_FILE"), f"{key} is no file")
            want("://" not in (value or ""), f"{key} holds an address")
        for port in service.get("ports", []):
            open_to_all = port.get("host_ip") != "127.0.0.1"
            want(not open_to_all or name == "nginx", f"port {port['published']} is open to other machines")
        if service["image"].startswith("gitfleet:") or name == "nginx":
            want(service.get("read_only") is True, "its root can be written")
            want(service.get("cap_drop") == ["ALL"], "keeps capabilities")
            want(service.get("security_opt") == ["no-new-privileges:true"], "may gain rights")
        if name == "worker":
            secrets = {one["source"] for one in service["secrets"]}
            want(not secrets & {"database_url", "token"}, "knows the store or the token")
            grace = int(service["environment"]["GITFLEET_GRACE_SECONDS"])
            stop = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", service["stop_grace_period"])
            want(int(stop[1] or 0) * 60 + int(stop[2] or 0) >= grace + 10, "is killed before its jobs' grace is over")
    return found


sys.exit("\n".join(main(json.loads(pathlib.Path(sys.argv[1]).read_text()))) or 0)
