"""Which name servers /etc/resolv.conf names: for `parse-resolv-conf`, and for the `default` section that nobody writes.

Rules (HAProxy 2.6.12 seen at work; the manual, 5.3.1, says no more than that the file is read):
- A line counts that begins with `nameserver` and a blank; its next word is an address, which names the server, too.
  What follows is ignored, and so are all other lines. (HAProxy also looks host names up and takes `*`.)
- What is no address and an address that is there already are left out.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.model.addresses import Address

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.sectiondraft import SectionDraft
    from hapy_config.syntax import Statement

PATH: Final = "/etc/resolv.conf"
_WORD: Final = "nameserver"
_PORT: Final = 53


def name_servers(text: str) -> Iterator[tuple[int, str, Address | None]]:
    """The lines that name a server: their number, the word that should be an address (empty without one), the address.

    The address is None where the word is none.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if not line.startswith((f"{_WORD} ", f"{_WORD}\t")) and line.strip() != _WORD:
            continue
        words = line.split()
        word = words[1] if len(words) > 1 and words[0] == _WORD else ""
        yield number, word, _address(word)


def _address(word: str) -> Address | None:
    host = word[1:-1] if word[:1] == "[" and word[-1:] == "]" else word
    try:
        if ":" in host:
            return Address("ipv6", socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, host)), _PORT)
        return Address("ipv4", socket.inet_ntoa(socket.inet_aton(host)), _PORT)
    except (OSError, ValueError):
        return None


def read(build: Build) -> str:
    """The file's text.

    Raises:
        OSError: it can't be read.
    """
    return build.files.read(PATH).decode("utf-8", "replace")


def add(build: Build, draft: SectionDraft, statement: Statement, _words: list[str]) -> None:
    """Run `parse-resolv-conf`: tell of the file's faults and remember its names."""
    try:
        text = read(build)
    except OSError:
        build.environment("missing-file", statement.span(), f"failed to open {PATH}.")
        return
    faults = []
    for number, word, address in name_servers(text):
        if not word:
            faults.append(f"parsing [{PATH}:{number}] : nameserver line is missing address.")
        elif address is None:
            faults.append(
                f"parsing [{PATH}:{number}] : address '{word}' could not be recognized, nameserver will be excluded."
            )
        elif word in draft.names or word in draft.system_names:
            other = draft.names.get(word)
            where = f"{other.source.name}:{other.line}" if other else f"{PATH}:{draft.system_names[word]}"
            faults.append(
                f"Parsing [{PATH}:{number}] : generated name for {PATH} nameserver '{word}' conflicts with another"
                f" nameserver (declared at {where}), it appears to be a duplicate and will be excluded."
            )
        else:
            draft.system_names[word] = number
    if faults:
        text = "\n" + "".join(f"        {fault}\n" for fault in faults).rstrip("\n")
        build.out.found.append(
            Diagnostic("bad-name-server", Severity.WARNING, statement.span(), text, environment=True)
        )


def system_has_name_servers(build: Build) -> bool:
    """Whether there is a `default` section without anybody writing one."""
    try:
        return any(address is not None for _, _, address in name_servers(read(build)))
    except OSError:
        return False
