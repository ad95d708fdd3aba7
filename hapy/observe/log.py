"""The access log and the events of one section (configuration manual, section 8).

The line's format and the targets are compiled once. Sections that name the same target share its socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.observe.framing import ERR, INFO, LEVELS, make_framing
from hapy.observe.senders import Sender, Transport, make_transport
from hapy.samples.environment import CompileEnv
from hapy.samples.formats import Renderer, compile_log_format
from hapy.samples.formats.dates import stamp
from hapy_config.grammar.formats import parse_format
from hapy_config.model.expressions import FormatAlias

if TYPE_CHECKING:
    from hapy.proxy.transaction import Client, Transaction
    from hapy_config.model.expressions import LogFormat
    from hapy_config.model.proxy import LogTarget, Proxy

#: The formats that options stand for (sections 8.2.2 to 8.2.4).
FORMATS: Final = {
    "tcplog": "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq",
    "httplog": (
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
    ),
    "httplog clf": (
        '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc'
        " %sq %bq %CC %CS %hrl %hsl"
    ),
    "httpslog": (
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
        " %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc"
    ),
}

#: Variables for which a line waits until the request, or the session, is over; found by watching.
_OF_ENDS: Final = frozenset(
    (
        "B",
        "ID",
        "TR",
        "Ta",
        "Tc",
        "Td",
        "Th",
        "Ti",
        "Tq",
        "Tr",
        "Tt",
        "Tw",
        "U",
        "ac",
        "bc",
        "bq",
        "fc",
        "rc",
        "sc",
        "sq",
        "ts",
    )
)


def log_format_of(model: Proxy) -> LogFormat | None:
    """The format of a frontend's access log; None for the line at accept that no option changes."""
    if model.log_format is not None:
        return model.log_format
    for option in ("httpslog", "httplog clf", "httplog", "tcplog"):
        if option in model.options:
            return parse_format(FORMATS[option], merge_spaces=True)
    return None


def _tells_of_ends(*formats: LogFormat | None) -> bool:
    """Whether formats have a variable that HAProxy waits for the end for."""
    return any(
        isinstance(item, FormatAlias) and item.name in _OF_ENDS
        for fmt in formats
        if fmt is not None
        for item in fmt.items
    )


class Logger:
    """The log of one section.

    Attributes:
        enabled: there is at least one target.
        senders: one a target.
        at_accept: the frontend has no log format: `log_accept` writes its only line per request (TCP: connection).
        as_soon: `logasap`, or nothing of what a line tells becomes known later: it is written when the answer's head
            (TCP: the connection) is there.
    """

    __slots__ = (
        "_dontlog_normal",
        "_error_render",
        "_model",
        "_render",
        "_separate_errors",
        "_structured",
        "as_soon",
        "at_accept",
        "enabled",
        "senders",
    )

    def __init__(self, model: Proxy, env: CompileEnv) -> None:
        """Args:
        model: the frontend or backend.
        env: the surroundings; its proxy must be `model`.

        Raises:
            CompileError: for an expression or a target that does not run.
        """
        tag = model.log_tag or env.config.global_.log_tag or env.process.tag
        self.senders = tuple(_sender(target, env, tag) for target in model.log)
        self._model = model
        fmt = log_format_of(model) if model.is_frontend else None
        self.enabled = bool(self.senders)
        self.at_accept = self.enabled and model.is_frontend and fmt is None
        self._dontlog_normal = "dontlog-normal" in model.options
        self._separate_errors = "log-separate-errors" in model.options
        wanted = self.enabled and fmt is not None
        self.as_soon = wanted and ("logasap" in model.options or not _tells_of_ends(fmt, model.log_format_sd))
        self._render: Renderer | None = compile_log_format(fmt, env) if wanted and fmt is not None else None
        self._structured: Renderer | None = None
        if wanted and model.log_format_sd is not None:
            self._structured = compile_log_format(model.log_format_sd, env)
        self._error_render: Renderer | None = None
        if self.enabled and model.error_log_format is not None:
            self._error_render = compile_log_format(model.error_log_format, env)

    @property
    def dropped(self) -> int:
        """Messages that could not be handed over."""
        return sum(sender.dropped for sender in self.senders)

    def close(self) -> None:
        """Give the sockets back, which other sections may share: for the very end."""
        for sender in self.senders:
            sender.close()

    def log_transaction(self, txn: Transaction) -> None:
        """Write the line of one request (TCP: one session), unless rules or options silence it."""
        render = self._render
        if render is None:
            return
        level = INFO
        if self._dontlog_normal or self._separate_errors:
            if went_wrong(txn):
                if self._separate_errors:
                    level = ERR
            elif self._dontlog_normal:
                return
        if txn.log_level is not None:
            if txn.log_level == "silent":
                return
            level = LEVELS[txn.log_level]
        line = render(txn)
        txn.frontend.counters.log_lines += 1
        if self._structured is not None:
            structured = self._structured(txn)
            for sender in self.senders:
                sender.send(level, line, structured)
            return
        for sender in self.senders:
            sender.send(level, line)

    def log_accept(self, client: Client) -> None:
        """Write the line of a frontend without a log format."""
        line = b"Connect %bto %b:%d (%b/%b)" % (
            b"" if client.source == b"unix" else b"from %b:%d " % (client.source, client.source_port),
            client.destination,
            client.destination_port,
            self._model.name.encode(),
            b"HTTP" if self._model.mode == "http" else b"TCP",
        )
        self._send(INFO, line)

    def log_error(self, txn: Transaction, message: str) -> None:
        """Write the line of a connection that failed before its first request (section 8.2.5).

        Args:
            txn: what is known of it.
            message: what went wrong, in HAProxy's words.
        """
        txn.client.error = message
        if self.at_accept and self._error_render is None:
            return  # such a frontend tells of those alone that it takes
        if self._error_render is not None:
            line = self._error_render(txn)
        else:
            client = txn.client
            name = client.listener_name or b"%d" % client.listener_id
            line = b"%b:%d [%b] %b/%b: %b" % (
                client.source,
                client.source_port,
                stamp(client.accepted_wall),
                self._model.name.encode(),
                name,
                message.encode(),
            )
        self._send(ERR if self._separate_errors else INFO, line)

    def log_refusal(self, txn: Transaction) -> None:
        """Write the line of what never became a request: by `error-log-format`, where there is one.

        Structured data goes with it as with any line.
        """
        if self._error_render is None:
            self.log_transaction(txn)
            return
        line = self._error_render(txn)
        structured = self._structured(txn) if self._structured is not None else b"-"
        for sender in self.senders:
            sender.send(ERR if self._separate_errors else INFO, line, structured)

    def log_event(self, level: str, text: str) -> None:
        """Write something that is about no request: `Server b/s is DOWN`."""
        self._send(LEVELS[level], text.encode("utf-8", "surrogateescape"))

    def _send(self, level: int, line: bytes) -> None:
        for sender in self.senders:
            sender.send(level, line)


def went_wrong(txn: Transaction) -> bool:
    """Whether a request counts as an error for `dontlog-normal` and `log-separate-errors`."""
    cause = txn.term_cause
    return txn.redispatched or txn.status >= 500 or cause not in "-L" or (cause == "-" and txn.retries > 0)


def _sender(target: LogTarget, env: CompileEnv, tag: str) -> Sender:
    """A sender for one target; the socket behind it is shared by all that send there."""
    framing = make_framing(target, env.process, tag, env.config.global_.log_send_hostname)
    transports = env.shared.setdefault("log transports", {})
    assert isinstance(transports, dict)
    key = (target.address, target.stream)
    transport: Transport | None = transports.get(key)
    if transport is None:
        transport = transports[key] = make_transport(target)
    longest = env.shared.get("longest log line")
    if not isinstance(longest, int):
        config = env.config
        targets = (*config.global_.log, *(one for proxy in config.proxies for one in proxy.log))
        longest = env.shared["longest log line"] = max(one.length for one in targets)
    return Sender(target, framing, transport, longest)
