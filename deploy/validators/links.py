"""Every relative link of the operator's documents leads to a file, and its anchor to a title: `links.py ROOT`."""

import pathlib
import re
import sys


def anchors(text: str) -> set[str]:
    """As GitHub makes them of titles."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def main(root: pathlib.Path) -> list[str]:
    found, count = [], 0
    files = [root / "README.md", *(root / "deploy").rglob("*.md"), *(root / "docs/runbooks").rglob("*.md")]
    for file in files:
        text = re.sub(r"^```.*?^```", "", file.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            count += 1
            path, _, anchor = target.partition("#")
            there = (file.parent / path).resolve() if path else file
            if not there.exists():
                found.append(f"{file.relative_to(root)}: {target} leads nowhere")
            elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text()):
                found.append(f"{file.relative_to(root)}: {target} leads to no title")
    print(f"{count} links in {len(files)} documents")
    return found


sys.exit("\n".join(main(pathlib.Path(sys.argv[1]).resolve())) or 0)
