"""The steps of `tcp-check` (configuration manual, 4.2), and those that HTTP checks share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NoReturn

from hapy.checks.context import show_bytes
from hapy.checks.result import Ended, Status, decoded
from hapy.samples import compile_expression
from hapy.samples.raw_format import compile_raw_format
from hapy.samples.regexes import compile_regex
from hapy.samples.types import to_int
from hapy.samples.variables import writer
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.checks.plan import Run, Target
    from hapy.proxy.transaction import Transaction
    from hapy.samples import CompileEnv
    from hapy.samples.types import Value
    from hapy_config.model.checks import CheckComment, CheckConnect, CheckExpect, CheckSend, CheckSetVar
    from hapy_config.model.expressions import LogFormat

    Renderer = Callable[[Transaction], bytes]

#: Gives the target of a connect step: what the server line says, with the step's own words applied.
Resolver = Callable[["Run", "CheckConnect"], "Target"]


class Connect:
    """`connect`."""

    __slots__ = ("_port", "_resolve", "comment", "model", "title")

    def __init__(self, model: CheckConnect, env: CompileEnv, resolve: Resolver) -> None:
        self.model = model
        self.comment = model.comment
        self._resolve = resolve
        self._port = None if isinstance(model.port, int | None) else compile_expression(model.port, env)
        self.title = f"connect port {model.port}" if isinstance(model.port, int) else "connect"

    async def run(self, run: Run) -> None:
        """Connect."""
        run.extra = None
        target = self._resolve(run, self.model)
        if self._port is not None:
            port = _number(self._port(run.txn), 0)
            if not 0 < port < 65536:
                raise Ended(Status.SOCKERR, "Connection error" + run.at())
            where = target.destination
            target = replace(target, destination=replace(where, port=port))
        await run.connect(target)
        run.comment = ""


class Send:
    """`send`, `send-binary` and their `-lf` kin."""

    __slots__ = ("_binary", "_data", "_render", "comment", "title")

    def __init__(self, model: CheckSend, env: CompileEnv) -> None:
        self.title = "send"
        self.comment = model.comment
        self._binary = model.binary
        self._data = model.data if model.data is not None else b""
        self._render = compile_raw_format(model.format, env) if model.format is not None else None

    async def run(self, run: Run) -> None:
        """Send."""
        data = self._data
        if self._render is not None:
            data = self._render(run.txn)
            if self._binary:
                try:
                    data = unhexed(data)
                except ValueError:
                    info = f"tcp-check send : failed to build log-format string at step {run.number}"
                    raise Ended(Status.L7RSP, info) from None
        run.probe.received.clear()
        run.send(data)


def unhexed(text: bytes) -> bytes:
    """The bytes that hexadecimal digits stand for.

    Raises:
        ValueError: there are other characters among them, or half a byte.
    """
    return bytes.fromhex(text.decode("ascii"))


def _number(value: Value | None, usual: int) -> int:
    """A value as a number, `usual` where it is none."""
    number = None if value is None else to_int(value)
    return number if isinstance(number, int) else usual


class SetVar:
    """`set-var`, `set-var-fmt`, `unset-var`."""

    __slots__ = ("_value", "_write", "comment", "title")

    def __init__(self, model: CheckSetVar, env: CompileEnv) -> None:
        self.title = "action"
        self.comment = ""
        self._write = writer(model.name, env)
        self._value: Callable[[Transaction], object] | None = None
        if model.expression is not None:
            self._value = compile_expression(model.expression, env)
        elif model.format is not None:
            self._value = compile_raw_format(model.format, env)

    async def run(self, run: Run) -> None:
        """Write or unset the variable; an expression without a value leaves it."""
        if self._value is None:
            self._write(run.txn, None)
            return
        value = self._value(run.txn)
        if value is not None:
            self._write(run.txn, value)  # type: ignore[arg-type]


class Comment:
    """`comment`."""

    __slots__ = ("comment", "title")

    def __init__(self, model: CheckComment) -> None:
        self.title = "comment"
        self.comment = model.text

    async def run(self, run: Run) -> None:
        """Remember it."""
        run.comment = self.comment


#: What messages call a pattern that they don't show.
_KINDS: Final = {
    "rstring": "regex",
    "binary": "binary",
    "rbinary": "binary regex",
    "string-lf": "log-format string",
    "binary-lf": "log-format binary",
}


def _title(model: CheckExpect) -> str:
    match model.match:
        case "string":
            return f"expect string '{model.pattern}'"
        case "binary":
            shown, _, _ = bytes.fromhex(model.pattern).partition(b"\0")  # as C prints it
            return f"expect binary '{decoded(shown)}'"
        case "rstring" | "rstatus":
            return "expect regex"
        case "rbinary":
            return "expect binary regex"
        case "string-lf":
            return "expect log-format string"
        case "binary-lf":
            return "expect log-format binary"
    return "expect"


class Unusable(Exception):  # noqa: N818 - what a server's answer would be compared with is none of its making
    """A log format gives nothing that could be looked for. The text says why."""


def something(text: bytes) -> bytes:
    """What a log format gave.

    Raises:
        Unusable: that is nothing.
    """
    if not text:
        raise Unusable("log-format string evaluated to an empty string")
    return text


Wanted = Callable[["Transaction"], bytes]


def _wanted(model: CheckExpect, env: CompileEnv) -> Wanted | None:
    """Gives the bytes that must be in an answer, or raises `Unusable`; None for what is no piece of text."""
    if model.match in ("string", "binary"):
        text = to_bytes(model.pattern) if model.match == "string" else bytes.fromhex(model.pattern)
        return lambda _txn: text
    if model.match not in ("string-lf", "binary-lf"):
        return None
    assert model.format is not None
    render = compile_raw_format(model.format, env)
    if model.match == "string-lf":
        return lambda txn: something(render(txn))

    def binary(txn: Transaction) -> bytes:
        try:
            return unhexed(something(render(txn)))
        except ValueError:
            raise Unusable("Failed to parse hexastring resulting of eval of a log-format string") from None

    return binary


def _search(model: CheckExpect) -> Callable[[bytes], bool] | None:
    """Looks for a regular expression; None for what is none."""
    if model.match not in ("rstring", "rbinary"):
        return None
    search = compile_regex(model.pattern).search
    if model.match == "rstring":
        return lambda data: search(data) is not None
    return lambda data: search(data.hex().upper().encode()) is not None


class Expectation:
    """What `expect` steps have in common: patterns in bytes, statuses and messages of both outcomes."""

    __slots__ = (
        "_code",
        "_error_text",
        "_search",
        "_success_text",
        "_wanted",
        "comment",
        "last",
        "model",
        "timeout_status",
        "title",
    )

    def __init__(self, model: CheckExpect, env: CompileEnv, *, last: bool) -> None:
        self.model = model
        self.title = _title(model)
        self.comment = model.comment
        self.last = last
        self._wanted = _wanted(model, env)
        self._search = _search(model)
        self._code = compile_expression(model.status_code, env) if model.status_code is not None else None
        self._success_text = _rendering(model.on_success, env)
        self._error_text = _rendering(model.on_error, env)
        self.timeout_status = Status[model.tout_status] if model.tout_status else Status.L7TOUT

    def look(self, run: Run, data: bytes, *, ended: bool) -> bool | None:
        """Whether the pattern is in the data; None while more may come that tells.

        Nothing is said of fewer bytes than `min-recv` wants, or than a text has that is looked for. Without `min-recv`
        what is not there may still come.

        Raises:
            Ended: there is no pattern.
        """
        least = self.model.min_recv
        if self._wanted is not None:
            try:
                wanted = self._wanted(run.txn)
            except Unusable as error:
                self.give_up(run, error)
            least = max(least, len(wanted))
        if len(data) < least and not ended:
            return None
        if self._wanted is not None:
            found = wanted in data
        else:
            assert self._search is not None
            found = self._search(data)
        return found if found or ended or self.model.min_recv >= 0 else None

    def give_up(self, run: Run, error: Unusable) -> NoReturn:
        """There is nothing to compare with.

        Raises:
            Ended: always.
        """
        raise Ended(Status.L7RSP, self._remarked(run, str(error)))

    def code(self, run: Run, usual: int) -> int:
        """The code to report."""
        return usual if self._code is None else _number(self._code(run.txn), usual)

    def succeed(self, run: Run, info: str, code: int, status: Status = Status.L7OK) -> None:
        """It is met; with the last step the check passes.

        Raises:
            Ended: it was the last one.
        """
        if not self.last:
            return
        if self.model.ok_status:
            status = Status[self.model.ok_status]
        if self._success_text is not None:
            info = decoded(self._success_text(run.txn))
        raise Ended(status, info, self.code(run, code))

    def fail(self, run: Run, info: str, code: int, status: Status = Status.L7RSP) -> None:
        """It is not met.

        Raises:
            Ended: always.
        """
        raise Ended(self.error_status(status), self.error_info(run, info), self.code(run, code))

    def error_info(self, run: Run, info: str) -> str:
        """What is told of a failure: `on-error` instead of the usual words, and the comment."""
        if self._error_text is not None:
            info = decoded(self._error_text(run.txn))
        return self._remarked(run, info)

    def error_status(self, usual: Status) -> Status:
        """The status to report of a failure."""
        if not self.model.error_status:
            return usual
        return Status[self.model.error_status]

    @staticmethod
    def _remarked(run: Run, info: str) -> str:
        return f"{info} comment: {run.remark}" if run.remark else info


def _rendering(fmt: LogFormat | None, env: CompileEnv) -> Renderer | None:
    return compile_raw_format(fmt, env) if fmt is not None else None


class Expect(Expectation):
    """`tcp-check expect`."""

    __slots__ = ("_most", "_name")

    def __init__(self, model: CheckExpect, env: CompileEnv, *, last: bool, bufsize: int) -> None:
        super().__init__(model, env, last=last)
        self._name = f" '{model.pattern}'" if model.match == "string" else f" ({_KINDS[model.match]})"
        self._most = bufsize

    async def run(self, run: Run) -> None:
        """Read until the pattern is found, or can't be any more."""
        probe = run.probe
        run.acted = True
        run.check.step_status = self.timeout_status
        received = probe.received
        found: bool | None = None
        while found is None:
            ended = probe.eof or len(received) >= self._most
            if received:
                data = bytes(received[: self._most])
                show_bytes(run.txn, data)
                found = self.look(run, data, ended=ended)
            elif ended:
                remark = f" comment: '{run.remark}'" if run.remark else ""
                info = f"TCPCHK got an empty response at step {run.number}{remark}"
                raise Ended(self.error_status(Status.L7RSP), info)
            if found is None:
                await run.more()
        if found is not self.model.inverse:
            self.succeed(run, "(tcp-check)", 0)
            run.check.step_status = Status.L7TOUT
            return
        verb = "matched unwanted" if self.model.inverse else "did not match"
        self.fail(run, f"TCPCHK {verb} content{self._name} at step {run.number}", 0)
