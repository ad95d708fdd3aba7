"""The build: pyproject.toml says all, but that the path of a request is compiled where that can be done.

mypyc makes C of the modules below, as they are: they run uncompiled, too, at a good third of the speed. It needs a C
compiler and Python's headers; where they are missing, or with HAPY_COMPILE=no, hapy is installed without.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

#: What every request passes through, and what those modules inherit from. Names end with `.py` or stand for a folder.
COMPILED = (
    "hapy/acl/conditions.py",
    "hapy/balance",
    "hapy/http/codec.py",
    "hapy/http/fields.py",
    "hapy/http/framing.py",
    "hapy/http/message.py",
    "hapy/http/request_parser.py",
    "hapy/http/response_parser.py",
    "hapy/http/serialize.py",
    "hapy/net/accepting.py",
    "hapy/net/clock.py",
    "hapy/net/records.py",
    "hapy/net/routine.py",
    "hapy/net/stream.py",
    "hapy/net/tls.py",
    "hapy/net/tls_client.py",
    "hapy/net/tls_server.py",
    "hapy/observe/counters.py",
    "hapy/observe/log.py",
    "hapy/observe/senders.py",
    "hapy/pool",
    "hapy/proxy/additions.py",
    "hapy/proxy/backend.py",
    "hapy/proxy/client.py",
    "hapy/proxy/exchange.py",
    "hapy/proxy/frontend.py",
    "hapy/proxy/greeting.py",
    "hapy/proxy/http1.py",
    "hapy/proxy/listening.py",
    "hapy/proxy/path.py",
    "hapy/proxy/queue.py",
    "hapy/proxy/route.py",
    "hapy/proxy/server.py",
    "hapy/proxy/server_connection.py",
    "hapy/proxy/sizes.py",
    "hapy/proxy/transaction.py",
    "hapy/proxy/upgrade.py",
    "hapy/proxy/upstream.py",
    "hapy/rules/actions/headers.py",
    "hapy/rules/compile.py",
    "hapy/samples/formats",
    "hapy/tls/hello.py",
    "hapy/tls/session.py",
)

#: Read before all else: compilers take branches that end in these functions for unlikely.
COLD_FUNCTIONS = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
void CPy_AddTraceback(const char *, const char *, int, PyObject *) __attribute__((cold));
void CPy_TypeError(const char *, PyObject *) __attribute__((cold));
"""
COLD = Path("build/cold.h")


def sources() -> list[str]:
    """The modules' files, by their paths."""
    found = []
    for name in COMPILED:
        place = Path(name)
        found += [place] if place.suffix else sorted(place.glob("*.py"))
    return [str(place) for place in found if place.name != "__init__.py"]


def obstacle() -> str:
    """Why nothing can be compiled; empty if it can."""
    if os.environ.get("HAPY_COMPILE") == "no":
        return "HAPY_COMPILE=no"
    if sys.implementation.name != "cpython":
        return f"this is {sys.implementation.name}"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler ({compiler})"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python's headers are missing (Debian: python3-dev)"
    return ""


def extensions() -> list[Extension]:
    """What to compile."""
    why_not = obstacle()
    if why_not:
        print(f"hapy is not compiled: {why_not}", file=sys.stderr)
        return []
    from mypyc.build import mypycify

    flags = ["--ignore-missing-imports", "--follow-imports=silent", "--python-version=3.11"]
    # The common library stands inside the package.
    made: list[Extension] = mypycify(
        [*flags, *sources()], opt_level="2", debug_level="0", group_name="hapy.request_path"
    )
    COLD.parent.mkdir(exist_ok=True)
    COLD.write_text(COLD_FUNCTIONS)
    for extension in made:
        # Fewer cache lines a request: what only exceptions need stands apart, and own functions are called directly.
        extension.extra_compile_args += ["-fvisibility=hidden", "-include", str(COLD.resolve())]
        extension.extra_compile_args.append("-Wno-error")  # a compiler that warns of more is no reason to do without
        extension.optional = True
    return made


setup(ext_modules=extensions())
