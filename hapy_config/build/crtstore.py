"""`crt-store`: certificates and their files by names of their own (configuration manual 3.4, section 12.7).

What HAProxy 3.0 and 3.2 do beyond it:
- A certificate's name is its alias, else its file's name as written; without the slash of an absolute one where the
  store has a name, else without `@/`.
- Files must be there and sound. Whether key and certificate go together is seen where they are used: server lines
  refuse what doesn't; bind lines take it, and no client comes through, of which hapy warns.
- The last of several `crt` or `alias` counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config.build import tls
from hapy_config.build.arguments import at_most
from hapy_config.build.refused import Refused
from hapy_config.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.sectiondraft import SectionDraft
    from hapy_config.model.certificates import CertificateFiles
    from hapy_config.syntax import Statement

_FILES: Final = ("crt", "key", "ocsp", "issuer", "sctl")
_OTHERS: Final = (
    *("alias", "ocsp-update", "acme", "domains", "ips", "jwt"),
    *("generate-dummy", "keytype", "bits", "curves"),
)


def base(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """crt-base and key-base: the store's own, which come before the global ones."""
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects a directory path as an argument.", 1, code="missing-argument")
    at_most(words, 1)
    if "load" in draft.names:
        raise Refused(f"'{words[0]}' can't be used after a load line, use it at the beginning of the section.", 0)
    draft.names[words[0]] = statement


def load(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """A certificate, and under which name it is known."""
    draft.names["load"] = statement
    given: dict[str, str] = {}
    index = 1
    while index < len(words):
        word = words[index]
        if word not in (*_FILES, *_OTHERS):
            hint = build.nearest(word, (*_FILES, *_OTHERS))
            raise Refused(f"'load' : unknown keyword '{word}'.", index, hint=hint)
        if index + 1 >= len(words) and word != "alias":
            raise Refused(f"'load' : '{word}' expects an argument.", index, code="missing-argument")
        if word in given and word in _FILES:
            build.warning("duplicate", statement.span(index), f"'load' : '{word}' already specified, overwriting.")
        given[word] = words[index + 1] if index + 1 < len(words) else ""
        index += 2
    if "crt" not in given:
        raise Refused("'load' : mandatory 'crt' parameter not found.", 0, code="missing-argument")
    if given.get("ocsp-update", "off") not in ("on", "off"):
        raise Refused("'load' : 'ocsp-update' expects 'on' or 'off'.", words.index("ocsp-update") + 1)
    _note_not_run(build, statement, given, words)
    if given.get("generate-dummy") != "on":
        _load(build, draft, given, words)


def _load(build: Build, draft: SectionDraft, given: dict[str, str], words: list[str]) -> None:
    from hapy_config.tls import pem

    path = _path(build, draft, given["crt"], "crt-base")
    named = pem.Named(
        _path(build, draft, given["key"], "key-base") if "key" in given else "",
        *(_path(build, draft, given[kind], "crt-base") if kind in given else "" for kind in ("ocsp", "issuer", "sctl")),
    )
    if "alias" in given or draft.name:
        name = f"@{draft.name}/{given.get('alias', given['crt'].lstrip('/'))}"
    else:
        name = given["crt"]
    if name in build.tls_files.stored:
        raise Refused(f"'load' : '{name}' is already defined.", words.index("crt") + 1, code="duplicate-name")
    try:
        loaded = pem.load(path, build.files.read, tls.settings(build), named, tls.warner(build))
        found: CertificateFiles | pem.Fault = pem.weakness(loaded) or loaded
    except pem.Unfit as fault:
        found = fault
    except pem.Fault as fault:
        refusal = Refused(f"'load' : {fault}", words.index("crt") + 1, code="bad-certificate", hint=fault.hint)
        build.lacking(refusal)
        return
    build.tls_files.stored[name] = found


def _path(build: Build, draft: SectionDraft, name: str, kind: str) -> str:
    """Where a file is: below the store's own directory, else below the global one."""
    own = draft.names.get(kind)
    if own is not None and not name.startswith("/"):
        return f"{own.words[1]}/{name}"
    return tls.based(build, name, kind)


def _note_not_run(build: Build, statement: Statement, given: dict[str, str], words: list[str]) -> None:
    for word, loss in (
        ("acme", "no certificate is fetched"),
        ("ocsp-update", "responses are not renewed"),
        ("generate-dummy", "no certificate is made"),
        ("jwt", "the certificate is not used for tokens"),
    ):
        if given.get(word, "off") != "off":
            message = f"'load {word}' is not run by hapy: {loss}"
            build.not_run.append(Diagnostic("not-run", Severity.ERROR, statement.span(words.index(word)), message))
