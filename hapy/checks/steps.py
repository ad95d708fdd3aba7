"""The steps of `tcp-check` (configuration manual, 4.2), and those that HTTP checks share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hapy.checks.context import show_bytes
from hapy.checks.formats import compile_format
from hapy.checks.result import Ended, Status, decoded
from hapy.samples import compile_expression
from hapy.samples.regexes import compile_regex
from hapy.samples.variables import writer
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.checks.plan import Run, Target
    from hapy.proxy.transaction import Transaction
    from hapy.samples import CompileEnv
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
            port = self._port(run.txn)
            if not isinstance(port, int) or not 0 < port < 65536:
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
        self._render = compile_format(model.format, env) if model.format is not None else None

    async def run(self, run: Run) -> None:
        """Send."""
        data = self._data
        if self._render is not None:
            data = self._render(run.txn)
            if self._binary:
                data = unhexed(data, run)
        run.probe.received.clear()
        run.send(data)


def unhexed(text: bytes, run: Run) -> bytes:
    """The bytes that hexadecimal digits stand for.

    Raises:
        Ended: there are other characters among them, or half a byte.
    """
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise Ended(Status.L7RSP, f"TCPCHK invalid binary string at step {run.number}") from None


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
            self._value = compile_format(model.format, env)

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
            return f"expect binary '{decoded(bytes.fromhex(model.pattern))}'"
        case "rstring" | "rstatus":
            return "expect regex"
        case "rbinary":
            return "expect binary regex"
        case "string-lf":
            return "expect log-format string"
        case "binary-lf":
            return "expect log-format binary"
    return "expect"


class Expectation:
    """What `expect` steps have in common: statuses and messages of both outcomes."""

    __slots__ = ("_code", "_error_text", "_success_text", "comment", "last", "model", "timeout_status", "title")

    def __init__(self, model: CheckExpect, env: CompileEnv, *, last: bool) -> None:
        self.model = model
        self.title = _title(model)
        self.comment = model.comment
        self.last = last
        self._code = compile_expression(model.status_code, env) if model.status_code is not None else None
        self._success_text = _rendering(model.on_success, env)
        self._error_text = _rendering(model.on_error, env)
        self.timeout_status = Status[model.tout_status] if model.tout_status else Status.L7TOUT

    def code(self, run: Run, usual: int) -> int:
        """The code to report."""
        if self._code is None:
            return usual
        value = self._code(run.txn)
        return value if isinstance(value, int) else usual

    def succeed(self, run: Run, info: str, code: int, status: Status = Status.L7OK) -> None:
        """It is met; with the last step the check passes.

        Raises:
            Ended: it was the last one.
        """
        if not self.last:
            return
        if self.model.ok_status:
            status = Status[self.model.ok_status] if self.model.ok_status != "UNKNOWN" else Status.UNK
        if self._success_text is not None:
            info = decoded(self._success_text(run.txn))
        raise Ended(status, info, self.code(run, code))

    def fail(self, run: Run, info: str, code: int, status: Status = Status.L7RSP) -> None:
        """It is not met.

        Raises:
            Ended: always.
        """
        if self.model.error_status:
            status = Status[self.model.error_status] if self.model.error_status != "UNKNOWN" else Status.UNK
        if self._error_text is not None:
            info = decoded(self._error_text(run.txn))
        if run.remark:
            info = f"{info} comment: {run.remark}" if info else f"comment: {run.remark}"
        raise Ended(status, info, self.code(run, code))


def _rendering(fmt: LogFormat | None, env: CompileEnv) -> Renderer | None:
    return compile_format(fmt, env) if fmt is not None else None


class Expect(Expectation):
    """`tcp-check expect`."""

    __slots__ = ("_least", "_matches", "_most", "_name")

    def __init__(self, model: CheckExpect, env: CompileEnv, *, last: bool, bufsize: int) -> None:
        super().__init__(model, env, last=last)
        self._matches, length = matcher(model, env)
        self._name = f" '{model.pattern}'" if model.match == "string" else f" ({_KINDS[model.match]})"
        self._most = bufsize
        # nothing can be found in fewer bytes than a fixed pattern has, whatever min-recv says
        self._least = model.min_recv if length is None else min(model.min_recv, length)

    async def run(self, run: Run) -> None:
        """Read until the pattern is found, or can't be any more."""
        probe = run.probe
        run.acted = True
        run.check.step_status = self.timeout_status
        received = probe.received
        while True:
            ended = probe.eof or len(received) >= self._most
            if ended and not received:
                number = run.number if run.plan.tells_place else run.number + 1
                raise Ended(Status.L7RSP, f"TCPCHK got an empty response at step {number}")
            if received and (ended or len(received) >= self._least):
                data = bytes(received)
                show_bytes(run.txn, data)
                found = self._matches(data, run)
                if found or ended or self.model.min_recv >= 0:
                    break
            await run.more()
        if found is not self.model.inverse:
            self.succeed(run, "(tcp-check)", 0)
            run.check.step_status = Status.L7TOUT
            return
        verb = "matched unwanted" if self.model.inverse else "did not match"
        self.fail(run, f"TCPCHK {verb} content{self._name} at step {run.number}", 0)


Matcher = Callable[[bytes, "Run"], bool]


def matcher(model: CheckExpect, env: CompileEnv) -> tuple[Matcher, int | None]:
    """What looks for a pattern in bytes, and the length of a pattern that is fixed."""
    if model.match in ("string", "binary"):
        wanted = to_bytes(model.pattern) if model.match == "string" else bytes.fromhex(model.pattern)
        return lambda data, _run: wanted in data, len(wanted)
    if model.match in ("rstring", "rbinary"):
        search = compile_regex(model.pattern).search
        if model.match == "rstring":
            return lambda data, _run: search(data) is not None, None
        return lambda data, _run: search(data.hex().upper().encode()) is not None, None
    assert model.format is not None
    render = compile_format(model.format, env)
    if model.match == "string-lf":
        return lambda data, run: render(run.txn) in data, None
    return lambda data, run: unhexed(render(run.txn), run) in data, None
