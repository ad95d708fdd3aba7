"""What variables hold that the configuration itself makes: by `set`, `map` and `geo`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Final

from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.locations import PATH
from hapy_config.translate.from_nginx.values import NoCounterpartError, fetch, first_of, format_string, variables
from hapy_config.translate.lines import pattern, write

#: A variable and nothing else.
_ONE: Final = re.compile(r"\$\{?(\w+)\}?")
#: Words of a map's or geo's block that are no entries.
_SETTINGS: Final = ("volatile", "hostnames", "ranges", "proxy", "proxy_recursive", "delete")


class Known(dict[str, str]):
    """The constants that variables hold, by name, and the samples for those that depend on the request.

    Args:
        made: the `map` and `geo` blocks by the variable that they make.
        base: how many tests lead to the block that the directives stand in.
        before: what holds already, such as on the level of the server.
    """

    def __init__(self, made: Mapping[str, Directive], base: int = 0, before: Known | None = None) -> None:
        super().__init__(before or {})
        self.base = base
        self._made = made
        self._set: set[str] = set(before._set if before is not None else ())
        self._needed: dict[str, list[str]] = {}
        #: The tests of which an address that a client comes from passes one; None where none is asked for.
        self.referers: list[str] | None = before.referers if before is not None else None
        #: The samples of the groups of a location's expression, by number and name.
        self.groups: dict[str, str] = {}
        #: Headers of answers that stand beside a `return` alone, and whether there are any.
        self.heads: list[str] = []
        self.own_headers = False

    def sample(self, name: str) -> str:
        """The sample of a variable.

        Raises:
            NoCounterpartError: HAProxy has none.
        """
        if name in self._set:
            return _variable(name)
        if name in self.groups:
            self._needed[name] = [f"http-request set-var(txn.ngx_group_{name}) {write(self.groups[name])}"]
            return f"var(txn.ngx_group_{name})"
        if name == "invalid_referer" and self.referers is not None:
            self._needed[name] = [
                f"http-request set-{_variable(name)} str(1)",
                *(f"http-request unset-{_variable(name)} if {test}" for test in self.referers),
            ]
            return _variable(name)
        block = self._made.get(name)
        if block is None and (first := first_of(name)) is not None:
            self._needed[name] = [f"http-request set-{_variable(name)} {write(first)}"]
            return _variable(name)
        if block is None:
            return fetch(name)
        if name not in self._needed:
            self._needed[name] = list(self._lines(name, block))
            block.take()
        return _variable(name)

    def is_set(self, name: str) -> None:
        """A rule outside has set a variable."""
        self._set.add(name)

    def with_constants(self, text: str) -> str:
        """A text with what is known of its variables, where all are."""
        names = variables(text)
        if not names or not all(one in self and not variables(self[one]) for one in names):
            return text
        known = text
        for one in names:
            known = known.replace(f"${{{one}}}", self[one]).replace(f"${one}", self[one])
        # Behind a host that a variable named nginx sends what is written, and nothing else.
        return known if re.fullmatch(r"https?://(unix:[^:]+:?|[^/]+)", known) else text

    def source(self, text: str) -> str:
        """The sample of what a map looks at: a variable, or a text with several."""
        match = _ONE.fullmatch(text)
        if match is not None:
            sample = self.sample(match[1])
            return PATH if sample == "path" else sample
        kept = self.early(text)
        last = next(reversed(self._needed))
        self._needed[last] = [line.replace("%[path]", f"%[{PATH}]") for line in self._needed[last]]
        return kept

    def change(self, name: str, value: str, tests: Sequence[str]) -> list[str]:
        """The rules that give a variable another value where tests hold."""
        tail = f" if {' '.join(tests)}" if tests else ""
        lines = []
        if tests and name in self:
            lines.append(_setting(name, self[name].replace("%", "%%"), ""))
        lines.append(_setting(name, format_string(value, self), tail))
        self.pop(name, None)
        self._set.add(name)
        return lines

    def early(self, value: str) -> str:
        """A name for a text of a request that is asked for when its answer comes."""
        name = f"head_{len(self._needed) + 1}"
        self._needed[name] = [_setting(name, format_string(value, self), "")]
        return _variable(name)

    def prelude(self) -> list[str]:
        """The rules that must come before those that look at the variables."""
        return [line for lines in self._needed.values() for line in lines]

    def _lines(self, name: str, block: Directive) -> list[str]:
        """The last rule that fits decides: so what counts most comes last."""
        entries = [(one.name, one.args[0]) for one in block.block or () if one.args and one.name not in _SETTINGS]
        if any(key == "include" for key, _ in entries) or any(
            one.name in ("ranges", "delete") for one in block.block or ()
        ):
            raise NoCounterpartError(f"the block of ${name} has entries without a counterpart")
        default = next((value for key, value in entries if key == "default"), "")
        rest = [(key, value) for key, value in entries if key != "default"]
        hostnames = block.first("hostnames") is not None
        if block.name == "geo":
            source = self.sample(variables(block.args[0])[0]) if len(block.args) > 1 else "src"
            rest.sort(key=lambda entry: ipaddress.ip_network(_network(entry[0]), strict=False).prefixlen)
            tests = [(f"{{ {source} -m ip {_network(key)} }}", value) for key, value in rest]
        else:
            for looked_at in variables(block.args[0]):
                if looked_at in self._set:
                    raise NoCounterpartError(f"${name} depends on ${looked_at}, which a rule sets")
            source = self.source(block.args[0])
            rest = in_order(rest)
            tests = [(map_test(source, key, hostnames=hostnames), value) for key, value in reversed(rest)]
        lines = [_setting(name, self._value(default), "")]
        return lines + [_setting(name, self._value(value), f" if {test}") for test, value in tests]

    def _value(self, text: str) -> str:
        if re.search(r"\$\{?\d", text):
            raise NoCounterpartError("a value of a map has groups of its regular expression")
        return format_string(text, self)


def _kept(name: str) -> str:
    """Where a variable of the configuration is kept, beside what the rules keep for themselves."""
    return f"txn.ngx_{name}{'_' if re.fullmatch('path|site|own|(own|end|group)_.*', name) else ''}"


def _variable(name: str) -> str:
    return f"var({_kept(name)})"


def _setting(name: str, value: str, tail: str) -> str:
    if not value:
        return f"http-request unset-var({_kept(name)}){tail}"
    return f"http-request set-var-fmt({_kept(name)}) {write(value)}{tail}"


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise NoCounterpartError(f"'{text}' is no network") from None


def in_order(entries: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The entries of a map in the order in which they count: texts, names with a star by length, expressions."""

    def rank(entry: tuple[str, str]) -> tuple[int, int]:
        key = entry[0]
        if key.startswith("~"):
            return 3, 0
        if key.startswith(("*.", ".")):
            return 1, -len(key)
        return (2, -len(key)) if key.endswith(".*") else (0, 0)

    return sorted(entries, key=rank)


def map_test(source: str, key: str, *, hostnames: bool = False) -> str:
    """The test for an entry of a map."""
    if key.startswith("~*"):
        return f"{{ {source} -m reg -i {pattern(key[2:])} }}"
    if key.startswith("~"):
        return f"{{ {source} -m reg {pattern(key[1:])} }}"
    if hostnames and key.startswith("*."):
        return f"{{ {source} -m end -i {pattern(key[1:])} }}"
    if hostnames and key.startswith("."):
        ending = r"(^|\.)" + re.sub(r"([.\\^$*+?{}\[\]|()])", r"\\\1", key[1:]) + "$"
        return f"{{ {source} -m reg -i {pattern(ending)} }}"
    if hostnames and key.endswith(".*"):
        return f"{{ {source} -m beg -i {pattern(key[:-1])} }}"
    key = key.removeprefix("\\")
    return f"{{ {source} -m str -i {pattern(key)} }}" if key else f"!{{ {source} -m len gt 0 }}"
