"""Which of a server's locations a path goes to, as conditions that are tried one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.lines import write


def kind_of(location: Directive) -> tuple[str, str]:
    """A location's modifier (empty for a plain prefix) and its text."""
    if len(location.args) >= 2:
        return location.args[0], location.args[1]
    text = location.args[0] if location.args else "/"
    for modifier in ("^~", "~*", "~", "="):
        if text.startswith(modifier):
            return modifier, text.removeprefix(modifier)
    return "", text


def in_order(locations: Sequence[Directive]) -> Iterator[tuple[Directive, list[str]]]:
    """Locations in the order in which they must be asked, each with its tests; none for the one that takes the rest.

    nginx takes an equal path first; then the longest prefix, if it has `^~`; else the first regular expression; else
    the longest prefix.
    """
    kinds = [(one, *kind_of(one)) for one in locations]
    for one, modifier, text in kinds:
        if modifier == "=":
            yield one, [f"{{ path {write(text)} }}"]
    prefixes = sorted(
        ((one, modifier, text) for one, modifier, text in kinds if modifier in ("", "^~")),
        key=lambda each: -len(each[2]),
    )
    expressions = [(one, modifier, text) for one, modifier, text in kinds if modifier in ("~", "~*")]
    if expressions:
        for one, modifier, text in prefixes:
            if modifier == "^~":
                longer = [other for _, own, other in prefixes if own == "" and other.startswith(text) and other != text]
                tests = [f"{{ path_beg {write(text)} }}", *(f"!{{ path_beg {write(other)} }}" for other in longer)]
                yield one, tests
        for one, modifier, text in expressions:
            yield one, [f"{{ path -m reg {'-i ' if modifier == '~*' else ''}{write(text)} }}"]
    for one, modifier, text in prefixes:
        if modifier == "" or not expressions:
            yield one, [] if text == "/" else [f"{{ path_beg {write(text)} }}"]


def host_test(name: str) -> str:
    """A server_name as a test."""
    sample = "req.hdr(host),field(1,:)"
    if name.startswith("~"):
        return f"{{ {sample} -m reg -i {write(name[1:])} }}"
    if name.startswith("*."):
        return f"{{ {sample} -m end -i {write(name[1:])} }}"
    if name.startswith("."):
        return f"{{ {sample} -m end -i {write(name)} }} or {{ {sample} -m str -i {write(name[1:])} }}"
    if name.endswith(".*"):
        return f"{{ {sample} -m beg -i {write(name[:-1])} }}"
    return f"{{ {sample} -m str -i {write(name)} }}"


def host_acls(acl: str, names: Sequence[str]) -> list[str]:
    """The lines of an ACL that any of the names fulfils."""
    tests = (part for name in names for part in host_test(name).split(" or "))
    return [f"acl {acl} {part.removeprefix('{ ').removesuffix(' }')}" for part in tests]
