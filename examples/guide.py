"""`python -m examples.guide`: writes the README's guide from the example configurations.

An example begins with a comment: its first line is the guide's heading, the paragraphs up to `Try:` are its text. The
lines between `# --- the point` and `# ---` are shown. `First:`, before `Try:`, has commands that make files it needs.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples" / "haproxy_cfgs"
README = ROOT / "README.md"
BEGIN, END = "<!-- guide: made by `python -m examples.guide` -->", "<!-- guide ends -->"

_CASES = (
    "What it does stands in [`{name}.cases.yaml`](examples/haproxy_cfgs/{name}.cases.yaml), which "
    "`hapy test` checks without a network."
)

#: The order of the guide.
ORDER = (
    "per_request",
    "one_client_one_server_connection",
    "per_connection_tcp",
    "far_servers",
    "far_api",
    "same_key_same_server",
    "sticky_sessions",
    "routing",
    "health_checks",
    "retries",
    "queues",
    "connection_limits",
    "unwanted_requests",
    "tls_termination",
    "tls_passthrough",
    "tls_to_servers",
    "client_certificates",
    "client_address",
    "proxy_protocol",
    "websockets",
    "blue_green",
    "maintenance",
    "error_pages",
    "access_log",
    "statistics",
    "old_clients_and_servers",
)


@dataclass(frozen=True, slots=True)
class Header:
    """What an example's first comment says.

    Attributes:
        title: the guide's heading.
        text: what it is about, in paragraphs.
        first: commands that make the files it needs; empty where it needs none.
        commands: what to type once it runs.
        remark: what to see then.
    """

    title: str
    text: str
    first: str
    commands: tuple[str, ...]
    remark: str


def header(path: Path) -> Header:
    """The first comment of an example, taken apart."""
    comment = []
    for line in path.read_text().split("\n"):
        if not line.startswith("#"):
            break
        comment.append(line[2:].rstrip())
    text, _, attempt = "\n".join(comment[2:]).partition("\nTry: ")
    text, _, first = text.partition("\nFirst: ")
    typed, _, remark = attempt.replace("   ", "\n", 1).strip().partition("\n")
    return Header(
        title=comment[0],
        text=text.strip(),
        first=first.replace("\n", " \\\n"),
        commands=tuple(re.split(r" ; |; (?=curl)", typed)),
        remark=remark.strip(),
    )


def section(name: str) -> str:
    """One example as Markdown."""
    path = FOLDER / f"{name}.cfg"
    told = header(path)
    point = re.search(r"# --- the point\n(.*?)^ *# ---$", path.read_text(), re.DOTALL | re.MULTILINE)
    if point is None:
        raise SystemExit(f"{path}: no lines between '# --- the point' and '# ---'")
    cases = path.with_suffix(".cases.yaml")
    return "\n".join(
        [
            f"### {told.title}",
            "",
            told.text,
            "",
            "```haproxy",
            point[1].rstrip("\n"),
            "```",
            "",
            *(["The files it needs are made with", "", "```sh", told.first, "```", ""] if told.first else []),
            f"Whole file: [`{name}.cfg`](examples/haproxy_cfgs/{name}.cfg). Run it, and ask from another terminal:",
            "",
            "```sh",
            f"hapy -f examples/haproxy_cfgs/{name}.cfg",
            *told.commands,
            "```",
            "",
            *([told.remark, ""] if told.remark else []),
            *([_CASES.format(name=name), ""] if cases.exists() else []),
        ],
    )


def guide() -> str:
    """The whole guide."""
    titles = [header(FOLDER / f"{name}.cfg").title for name in ORDER]
    contents = [f"- [{title}](#{anchor(title)})" for title in titles]
    return "\n".join([BEGIN, "", *contents, "", *(section(name) for name in ORDER), END])


def anchor(title: str) -> str:
    """What a heading is linked by."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


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
