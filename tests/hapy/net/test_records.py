"""How much a TLS record holds. What HAProxy makes of it: `compat/scenarios/tls_records.py`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hapy.net.records import RecordSizes, Sizer

_SIZES = RecordSizes(first=1000, most=4000, buffer=8000, idle=1.0, by_message=True)


def test_small_until_two_buffers_were_filled() -> None:
    assert Sizer(_SIZES).cut(25000, 0.0) == [1000] * 16 + [4000, 4000, 1000]


def test_short_pieces_stay_small() -> None:
    sizer = Sizer(_SIZES)
    assert [sizer.cut(7000, 0.0) for _ in range(4)] == [[1000] * 7] * 4


def test_the_third_short_piece_ends_what_flows() -> None:
    sizer = Sizer(_SIZES)
    assert sizer.cut(24000, 0.0)[-1] == 4000
    assert [sizer.cut(5000, 0.0) for _ in range(3)] == [[4000, 1000], [4000, 1000], [1000] * 5]


def test_idle_time_and_messages_begin_anew() -> None:
    sizer = Sizer(_SIZES)
    sizer.cut(24000, 0.0)
    assert sizer.cut(8000, 1.0) == [4000, 4000]
    assert sizer.cut(8000, 2.5) == [1000] * 8
    sizer.cut(16000, 2.5)
    sizer.begin()
    assert sizer.cut(8000, 2.5) == [1000] * 8


@given(
    st.integers(1, 20000),
    st.integers(1, 16384),
    st.integers(1, 40000),
    st.lists(st.tuples(st.integers(0, 100000), st.floats(0, 3)), max_size=8),
)
def test_nothing_is_lost_or_above_the_limit(
    first: int, most: int, buffer: int, writes: list[tuple[int, float]]
) -> None:
    sizer = Sizer(RecordSizes(first=min(first, most), most=most, buffer=buffer, idle=1.0, by_message=False))
    moment = 0.0
    for size, later in writes:
        moment += later
        records = sizer.cut(size, moment)
        assert sum(records) == size
        assert all(0 < record <= most for record in records)
