"""What `json_query` finds by paths that are odd, damaged or lead nowhere."""

from __future__ import annotations

from compat.harness import World

JSON = (
    r'{"a":{"b":[10,11,[20,21],{"c":23}],"":7,"b]":8},"d.e":1,"d\\":2,"d":3,"dx":4,"f[0]":5,"f":[6],"g\\h":9,"":12,'
    r'"a]b":13," a":14,"ab":15,"a.b":16,"a ":{"b":17},"h]i":[18]}'
)
INDEXES = (
    "0|1|2|3|4|00|02|+1|+0|++1|-0|-1| 0| 1|1 |0 || |*|x|x1|(|-|+|1x|0x|0x1|1.9|0.9|1e0|10e-1|0:2|1:2|0,1|1e400|"
    "2147483648|4294967296|4294967297|18446744073709551617"
)
#: None with another index than 0 that is not closed: HAProxy reads on behind the path's end there.
PATHS = (
    r"$a|$.a.|$.a..b|$[a]|$[0]|$[|$[0|$].a|$.a.b[|$.a.b[0|$.a.b[x|$.a.b]|$.a]b|$.h]i[0]|$.a.b[0]]|$.a[b|$.a.b[3]x|"
    r"$.a.b[3]c|$.a.b[3].c|$.a.b[2][1]|$.a.[|$.d\\.e|$.d\\|$.d\\x|$.a\\b|$.f\\[0\\]|$.f[0]|$.g\\\\h|$. a|$.a .b|$$.a|.a|"
    r"a.b|$.a.*|$..|$.a.b.[1]|$|$."
)


def _found(world: World, paths: list[str]) -> None:
    """The value at each path, in the order of the paths."""
    fetches = [path.replace("$", r"\$") for path in paths]
    world.start(
        'frontend fe\n    bind "fd@${fe}"\n'
        + "".join(
            f"    http-request set-var(txn.v{number}) \"req.fhdr(x-json),json_query('{path}')\"\n"
            for number, path in enumerate(fetches)
        )
        + '    http-request return status 200 content-type text/plain lf-string "'
        + " ".join(f"%[var(txn.v{number})]" for number in range(len(paths)))
        + '"\n'
    )
    values = world.once("/", f"X-Json: {JSON}").split(" ")
    world.forget_clients()
    for path, value in zip(paths, values, strict=True):
        world.note(f"{path}: {value}")


def damaged_paths(world: World) -> None:
    """Brackets and dots too many or too few, escapes, names with brackets."""
    _found(world, PATHS.split("|"))


def odd_indexes(world: World) -> None:
    """Numbers of elements that are signed, padded, broken, too large, or none."""
    _found(world, [f"$.a.b[{index}]" for index in INDEXES.split("|")])


def names_in_other_elements(world: World) -> None:
    """The member of an element that has none of that name, where a later element has one."""
    _found(world, ["$.a.b[1].c", "$.a.b[2].c"])
