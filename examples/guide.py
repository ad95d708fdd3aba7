"""`python -m examples.guide`: writes the README's guide from the example configurations.

An example begins with a comment: its first line is the guide's heading, the paragraphs up to `Try:` are its text. The
lines between `# --- the point` and `# ---` are shown.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples" / "haproxy_cfgs"
README = ROOT / "README.md"
BEGIN, END = "<!-- guide: made by `python -m examples.guide` -->", "<!-- guide ends -->"

#: The order of the guide.
ORDER = (
    "per_request",
    "one_client_one_server_connection",
    "per_connection_tcp",
    "far_servers",
    "far_api",
    "same_key_same_server",
    "routing",
    "retries",
    "health_checks",
    "queues",
    "unwanted_requests",
    "client_address",
    "error_pages",
    "access_log",
    "old_clients_and_servers",
)


def section(name: str) -> str:
    """One example as Markdown."""
    path = FOLDER / f"{name}.cfg"
    lines = path.read_text().split("\n")
    comment = []
    for line in lines:
        if not line.startswith("#"):
            break
        comment.append(line[1:].strip())
    title, text = comment[0], "\n".join(comment[2:])
    text, _, attempt = text.partition("\nTry: ")
    command, _, remark = attempt.replace("   ", "\n", 1).strip().partition("\n")
    point = re.search(r"# --- the point\n(.*?)# ---\n", path.read_text(), re.DOTALL)
    if point is None:
        raise SystemExit(f"{path}: no lines between '# --- the point' and '# ---'")
    return "\n".join(
        [
            f"### {title}",
            "",
            text.strip(),
            "",
            "```haproxy",
            point[1].rstrip("\n"),
            "```",
            "",
            f"Whole file: [`{name}.cfg`](examples/haproxy_cfgs/{name}.cfg). Run it, and ask from another terminal:",
            "",
            "```sh",
            f"hapy -f examples/haproxy_cfgs/{name}.cfg",
            *re.split(r" ?; (?=curl)", command),
            "```",
            "",
            *([remark.strip(), ""] if remark else []),
        ],
    )


def guide() -> str:
    """The whole guide."""
    return "\n".join([BEGIN, "", *(section(name) for name in ORDER), END])


def with_guide(readme: str) -> str:
    """The README with its guide made anew."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or not after:
        raise SystemExit(f"README.md has no guide between {BEGIN!r} and {END!r}")
    return before + guide() + after


if __name__ == "__main__":
    README.write_text(with_guide(README.read_text()))
    sys.stdout.write("README.md: guide written\n")
