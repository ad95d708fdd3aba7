"""Findings about lines as text: quotes, variables, `.if` blocks, structured comments."""

from __future__ import annotations

from typing import Final

from hapy_config.codes.spec import Code, Kind, code

CODES: Final[tuple[Code, ...]] = (
    code(
        Kind.ERROR,
        "missing-newline",
        """The last line has no line feed. HAProxy refuses such a file since version 2.3: it might have been cut off on
        its way. End the line; `--fix` does.""",
        "listen l\n bind :8080",
        "listen l\n bind :8080\n",
    ),
    code(
        Kind.ERROR,
        "unmatched-quote",
        """A quotation mark is opened and not closed on the same line. A single quote within double quotes is fine, and
        a backslash before a quote outside of single quotes takes its meaning.""",
        'listen l\n bind :8080\n http-request set-header x-a "b\n',
        'listen l\n bind :8080\n http-request set-header x-a "b"\n',
    ),
    code(
        Kind.ERROR,
        "unmatched-brace",
        """A `${` in double quotes has no closing brace.""",
        'listen l\n bind ":${PORT"\n',
        'listen l\n bind ":${PORT-8080}"\n',
    ),
    code(
        Kind.ERROR,
        "bad-escape",
        """`\\x` is followed by two hexadecimal digits.""",
        "listen l\n bind :8080\n http-request set-header x-a b\\xg0\n",
        "listen l\n bind :8080\n http-request set-header x-a b\\x20\n",
    ),
    code(
        Kind.ERROR,
        "bad-variable",
        """The name of an environment variable begins with a letter or an underscore and holds no `=`. A dollar sign
        that begins no variable is written with a backslash before it, or in single quotes.""",
        'listen l\n bind :8080\n http-request set-header x-a "$5"\n',
        "listen l\n bind :8080\n http-request set-header x-a '$5'\n",
    ),
    code(Kind.ERROR, "bad-quoting", """A line can't be cut into words."""),
    code(
        Kind.ERROR,
        "stray-nul",
        """A NUL byte stands in the line. Configurations are text: the file was damaged, or saved in UTF-16.""",
        "listen l\n bind :80\x0080\n",
        "listen l\n bind :8080\n",
    ),
    code(
        Kind.ERROR,
        "too-many-words",
        """A line has at most 64 words. Most lists may be spread over several lines: an `acl` of the same name adds to
        the one before.""",
        "listen l\n bind :8080\n acl a src " + " ".join(f"10.0.0.{number}" for number in range(64)) + "\n",
    ),
    code(
        Kind.ERROR,
        "outside-section",
        """A statement stands before the first section. Every line belongs to a section, and the end of a file ends
        the section in it.""",
        "maxconn 100\nglobal\n",
        "global\n maxconn 100\n",
        alone=True,
    ),
    code(
        Kind.ERROR,
        "orphan",
        """The line belongs to a section whose header HAProxy did not understand, so it belongs to none. Mend the header
        first.""",
        "listen l :8080\n server s 10.0.0.1:80\n",
        "listen l\n bind :8080\n server s 10.0.0.1:80\n",
    ),
    code(
        Kind.ERROR,
        "bad-block",
        """`.elif`, `.else` and `.endif` belong into a block that `.if` opens, in this order.""",
        "global\n.endif\n",
        "global\n.if 1\n.endif\n",
    ),
    code(
        Kind.ERROR,
        "open-block",
        """A `.if` block goes on to the end of its file.""",
        "global\n.if 1\n maxconn 100\n",
        "global\n.if 1\n maxconn 100\n.endif\n",
    ),
    code(
        Kind.ERROR,
        "unknown-directive",
        """Lines that begin with a dot are directives: .if, .elif, .else, .endif, .diag, .notice, .warning, .alert.""",
        "global\n.iff 1\n",
        "global\n.if 1\n.endif\n",
    ),
    code(Kind.ADVICE, "diag-directive", "A `.diag` line of the file says so.", "global\n.diag x\n"),
    code(Kind.ADVICE, "notice-directive", "A `.notice` line of the file says so.", "global\n.notice x\n"),
    code(Kind.WARNING, "warning-directive", "A `.warning` line of the file says so.", "global\n.warning x\n"),
    code(Kind.ERROR, "alert-directive", "An `.alert` line of the file refuses it.", "global\n.alert x\n"),
    code(
        Kind.ERROR,
        "surplus-argument",
        """There is a word more than the line may have. Text with blanks in it is put in quotes.""",
        "global\n.notice hello world\n",
        'global\n.notice "hello world"\n',
    ),
    code(
        Kind.ERROR,
        "bad-comment",
        """A comment that begins with `hapy:` is a setting of hapy's, and here nothing follows.""",
        "backend b\n server s 10.0.0.1:80 # hapy:\n",
        "backend b\n server s 10.0.0.1:80 # hapy: pool-min-conn 4\n",
    ),
    code(
        Kind.ERROR,
        "unknown-comment",
        """A comment that begins with `hapy:` names a setting that does not exist. HAProxy takes no notice of such
        comments, hapy reads them as strictly as keywords.""",
        "backend b\n server s 10.0.0.1:80 # hapy: pool-min-con 4\n",
        "backend b\n server s 10.0.0.1:80 # hapy: pool-min-conn 4\n",
    ),
    code(
        Kind.ERROR,
        "misplaced-comment",
        """The setting belongs on a server or default-server line, on the header of a section with servers, or on a line
        of its own above one of these.""",
        "frontend f\n bind :8080 # hapy: pool-min-conn 4\n",
        "backend b\n # hapy: pool-min-conn 4\n server s 10.0.0.1:80\n",
    ),
    code(
        Kind.WARNING,
        "unknown-code",
        """`# hapy: ignore` names a code that does not exist; `hapy check --codes` lists them.""",
    ),
    code(
        Kind.ADVICE,
        "unused-ignore",
        """`# hapy: ignore` silences nothing: the line it speaks of has no finding of that code. Remove it.""",
    ),
)
