"""A journal gives back every frame that was written, in order; what was cut off or damaged is told."""

import io
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("mcap")
pytest.importorskip("msgspec")

from mcap.reader import make_reader
from mcap.writer import Writer

import liqcore as lq
from liqcore.errors import DataError, InvalidConfigError
from liqcore.feeds.events import Change, Frame, Market
from liqcore.feeds.frames import changed
from liqcore.feeds.segment import Encoder, Segment
from liqcore.live import journal as journals
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from markets import BTC, HOUR, Brittle, frames, trades

SOME = frames(trades(1500, seed=1))


def written(folder: Path, given: list[Frame], together: int = 7) -> list[Path]:
    with Journal(folder, BTC, files=Disk()) as journal:
        for number, frame in enumerate(given):
            assert journal.append(frame) == number
            if number % together == 0:
                journal.write()
    return sorted(folder.glob("*.mcap"))


def read(journal: Journal, number: int = 0) -> list[Frame]:
    found: list[Frame] = []
    while True:
        number, some = journal.read(number)
        if not some:
            return found
        found += some


def in_files(paths: list[Path]) -> list[Frame]:
    found: list[Frame] = []
    for path in paths:
        with path.open("rb") as file:
            found += [frame for _, some in Segment(file, path.name).chunks() for frame in some]
    return found


def test_segments_of_an_hour_have_every_frame_in_order(tmp_path: Path) -> None:
    paths = written(tmp_path, SOME)
    assert [path.name for path in paths] == [f"binance-usdm-BTCUSDT-20260612T0{hour}0000Z.mcap" for hour in range(3)]
    assert in_files(paths) == SOME


def test_mcap_itself_reads_them(tmp_path: Path) -> None:
    found = []
    for path in written(tmp_path, SOME):
        with path.open("rb") as file:
            reader = make_reader(file, validate_crcs=True)
            messages = [(channel.metadata["source"], message.log_time, message.data)
                        for _, channel, message in reader.iter_messages()]  # fmt: skip
            found += messages
            summary = reader.get_summary()
            assert summary is not None
            assert summary.statistics is not None
            assert summary.statistics.message_count == len(messages)
    assert found == [(frame.source, frame.received, frame.body) for frame in SOME]


def test_nothing_is_handed_out_before_it_is_written(tmp_path: Path) -> None:
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        journal.append(SOME[0])
        assert journal.read(0) == (0, [])
        journal.write()
        assert journal.read(0) == (1, SOME[:1])
        assert (journal.appended, journal.written, journal.synced) == (1, 1, 0)
        journal.sync()
        assert journal.synced == 1


@pytest.mark.parametrize("tail", [0, 20_000])
def test_who_does_not_keep_up_reads_from_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tail: int) -> None:
    monkeypatch.setattr(journals, "TAIL_BYTES", tail)
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        at, found = 0, []
        for number, frame in enumerate(SOME):
            journal.append(frame)
            if number % 5 == 0:
                journal.write()
            if number % 40 == 0:
                at, some = journal.read(at)
                found += some
        journal.write()
        found += read(journal, at)
        assert found == SOME
        assert read(journal, 123) == SOME[123:]


def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    written(tmp_path, SOME[:100])
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        assert (journal.appended, journal.lost) == (100, [])
        for frame in SOME[100:]:
            journal.append(frame)
        journal.write()
        assert read(journal) == SOME
    assert in_files(sorted(tmp_path.glob("*.mcap"))) == SOME


def test_a_clock_that_steps_back_begins_no_segment(tmp_path: Path) -> None:
    back = [Frame(SOME[-1].received - 5 * HOUR, "x", "y", b"{}"), SOME[-1]]
    assert in_files(written(tmp_path, [*SOME, *back])) == [*SOME, *back]


def test_two_writers_of_a_market_are_refused(tmp_path: Path) -> None:
    with Journal(tmp_path, BTC, files=Disk()):
        with pytest.raises(InvalidConfigError, match="another process writing binance-usdm:BTCUSDT into"):
            Journal(tmp_path, BTC, files=Disk())
        Journal(tmp_path, Market("okx", "BTC-USDT-SWAP"), files=Disk()).close()
    Journal(tmp_path, BTC, files=Disk()).close()


@pytest.mark.parametrize("room", [0, 1, 30, 500])
def test_a_full_disk_loses_nothing(tmp_path: Path, room: int) -> None:
    disk = Brittle()
    with Journal(tmp_path, BTC, files=disk) as journal:
        for frame in SOME[:50]:
            journal.append(frame)
        journal.write()
        for frame in SOME[50:]:
            journal.append(frame)
        disk.left = room
        with pytest.raises(OSError, match="No space"):
            journal.write()
        disk.left = None
        assert read(journal) == SOME[: journal.written]
        journal.write()
        assert read(journal) == SOME
    assert in_files(sorted(tmp_path.glob("*.mcap"))) == SOME


def test_frames_that_no_feed_hands_on_are_refused(tmp_path: Path) -> None:
    with Journal(tmp_path, BTC, files=Disk()) as journal, pytest.raises(DataError, match="of a time from 1970 on"):
        journal.append(Frame(-1, "x", "y", b""))


def one_segment(finished: bool = True) -> tuple[bytes, list[Frame], list[int]]:
    """The bytes of a segment, its frames, and where its chunks end."""
    encoder = Encoder(1000, str(BTC))
    parts, ends = [encoder.head()], []
    for at in range(0, 60, 6):
        parts.append(encoder.chunk(SOME[at : at + 6]))
        ends.append(encoder.size)
    return b"".join([*parts, encoder.tail()] if finished else parts), SOME[:60], ends


WHOLE, OF_WHOLE, ENDS = one_segment()


def what_is_read(data: bytes) -> tuple[list[tuple[int, Frame]], Segment]:
    segment = Segment(io.BytesIO(data), "x.mcap")
    found: list[tuple[int, Frame]] = []
    for place, some in segment.chunks():
        found += zip(range(segment.next - place.frames, segment.next), some, strict=True)
    return found, segment


ALL = list(enumerate(OF_WHOLE, 1000))


@given(st.integers(0, len(WHOLE)))
@settings(max_examples=150, deadline=None)
def test_of_a_segment_that_is_cut_the_whole_chunks_are_read(size: int) -> None:
    found, segment = what_is_read(WHOLE[:size])
    whole = sum(end <= size for end in ENDS)
    assert found == ALL[: 6 * whole]
    assert segment.finished == (size >= ENDS[-1] + 9)
    if size > ENDS[0] and size not in ENDS and size < ENDS[-1]:
        (lost,) = segment.lost
        assert lost.torn
        assert (lost.offset, lost.size) == (segment.end, size - segment.end)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
@settings(max_examples=400, deadline=None)
def test_a_flipped_byte_is_refused_or_told_and_reads_as_nothing_else(at: int, flip: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] ^= flip
    try:
        found, segment = what_is_read(bytes(damaged))
    except DataError:  # it is not taken for a journal any more
        return
    assert set(found) <= set(ALL)
    assert [number for number, _ in found] == sorted(number for number, _ in found)
    if len(found) < len(ALL):
        assert segment.lost or not segment.finished
        told = sum(lost.frames or 0 for lost in segment.lost)
        assert told == len(ALL) - len(found) or any(lost.frames is None for lost in segment.lost)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(1, 40)), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_several_holes_are_told_one_by_one(holes: list[tuple[int, int]]) -> None:
    damaged = bytearray(WHOLE)
    for at, length in holes:
        damaged[at : at + length] = random.Random(at).randbytes(len(damaged[at : at + length]))
    try:
        found, segment = what_is_read(bytes(damaged))
    except DataError:
        return
    assert set(found) <= set(ALL)
    assert len(found) == len(ALL) or segment.lost or not segment.finished


def test_what_is_lost_is_said_with_its_span() -> None:
    damaged = bytearray(WHOLE)
    damaged[ENDS[2] + 80] ^= 1
    _, segment = what_is_read(bytes(damaged))
    assert str(segment.lost[0]) == (
        "x.mcap: 6 frames lost between 2026-06-12T00:12:26Z and 2026-06-12T00:16:30Z (701 bytes at 2,172: a chunk that "
        "cannot be unpacked)"
    )


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_torn_end_is_cut_told_and_gone_on_behind(tmp_path: Path, cut: int) -> None:
    data, given, ends = one_segment(finished=False)
    path = tmp_path / "binance-usdm-BTCUSDT-20260612T000000Z.mcap"
    path.write_bytes(data[:-cut])
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        (lost,) = journal.lost
        assert lost.torn
        assert lost.offset == ends[-2]
        assert journal.appended == 1054
        for frame in given[54:]:
            journal.append(frame)
    found, segment = what_is_read(path.read_bytes())
    assert (found, segment.lost, segment.finished) == (ALL, [], True)


def test_damage_stays_and_numbers_go_on(tmp_path: Path) -> None:
    data, _, ends = one_segment()
    damaged = bytearray(data)
    damaged[ends[4] - 20] ^= 8
    path = tmp_path / "binance-usdm-BTCUSDT-20260612T000000Z.mcap"
    path.write_bytes(damaged)
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        assert [lost.frames for lost in journal.lost] == [6]
        assert journal.append(SOME[60]) == 1060
    assert what_is_read(path.read_bytes())[0] == [*ALL[:24], *ALL[30:], (1060, SOME[60])]


@pytest.mark.parametrize("size", [0, 3, 8, 40])
def test_a_segment_without_a_frame_is_begun_again(tmp_path: Path, size: int) -> None:
    paths = written(tmp_path, SOME)
    paths[-1].write_bytes(paths[-1].read_bytes()[:size])
    kept = in_files(paths[:-1])
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        assert journal.appended == len(kept)
        for frame in SOME[len(kept) :]:
            journal.append(frame)
        journal.write()
        assert read(journal) == SOME


# --- as an input ---


def test_a_journal_is_an_ordinary_trade_file(tmp_path: Path) -> None:
    batch = trades(1500, seed=1)
    paths = written(tmp_path, SOME)
    reader = lq.read_trades(str(tmp_path / "*.mcap"))
    read_back = list(reader)
    for name in ("ts", "price", "qty", "taker_sell"):
        np.testing.assert_array_equal(np.concatenate([getattr(one, name) for one in read_back]), getattr(batch, name))
    assert reader.report.symbol == "BTCUSDT"
    assert (reader.report.tick_size, reader.report.lot_size) == (0.1, 0.001)
    assert [file.format for file in reader.report.files] == ["journal"] * 3
    once = lq.heatmap(paths)
    assert once.meta["venue"] == "binance-usdm"
    np.testing.assert_array_equal(once.values, lq.heatmap(trades=batch, symbol="BTCUSDT", venue="binance-usdm").values)


def test_repeats_and_what_comes_late_are_put_right(tmp_path: Path) -> None:
    mixed = [*SOME[:40], *SOME[60:], *SOME[40:70]]  # a hole that was filled later, and more than was missing
    paths = written(tmp_path, sorted(mixed, key=lambda frame: (frame.received // HOUR, mixed.index(frame))))
    reader = lq.read_trades(paths)
    ts = np.concatenate([one.ts for one in reader])
    np.testing.assert_array_equal(ts, trades(1500, seed=1).ts)
    assert reader.report.rejected == {"duplicate_id": 50}


def test_what_is_no_trade_is_counted(tmp_path: Path) -> None:
    change = changed(Change(BTC, "trades", "gap open", SOME[3].received, since=1, until=2), SOME[3].received)
    odd = Frame(SOME[3].received, "binance-usdm", "market", b"{")
    mark = (
        b'{"stream":"btcusdt@markPrice","data":{"e":"markPriceUpdate","E":1781222400000,"s":"BTCUSDT","p":"63000.1"}}'
    )
    paths = written(tmp_path, [*SOME[:20], change, odd, Frame(SOME[3].received, "binance-usdm", "market", mark)])
    reader = lq.read_trades(paths)
    assert sum(len(one) for one in reader) == 100
    (file,) = reader.report.files
    assert file.notes == ["23 frames; in them besides trades: 1 changes of state, 1 garbage, 1 mark prices"]
    assert file.rejected == {"unreadable": 1}


def test_journals_of_two_markets_need_a_choice(tmp_path: Path) -> None:
    written(tmp_path, SOME)
    other = Market("okx", "BTC-USDT-SWAP")
    with Journal(tmp_path, other, files=Disk()) as journal:
        for frame in frames(trades(100, seed=2), market=other):
            journal.append(frame)
    with pytest.raises(DataError, match=r"expected one symbol, found BTCUSDT in .*, BTC-USDT-SWAP in"):
        lq.read_trades(str(tmp_path / "*.mcap"))
    assert sum(len(one) for one in lq.read_trades(str(tmp_path / "*.mcap"), symbol="BTCUSDT")) == 1500


def test_of_frames_that_tell_of_several_markets_a_journal_has_its_own(tmp_path: Path) -> None:
    other = Market(BTC.venue, "ETHUSDT")
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        for frame in [*frames(trades(50, seed=2), market=other), *SOME]:
            journal.append(frame)
    reader = lq.read_trades(str(tmp_path / "*.mcap"))
    assert sum(len(one) for one in reader) == 1500
    assert (reader.report.symbol, reader.report.rejected) == ("BTCUSDT", {"other_symbol": 50})
    with pytest.raises(DataError, match="expected trades of ETHUSDT, found BTCUSDT"):
        lq.read_trades(str(tmp_path / "*.mcap"), symbol="ETHUSDT")


def test_an_unfinished_segment_and_damage_are_said(tmp_path: Path) -> None:
    data, _, ends = one_segment(finished=False)
    path = tmp_path / "x.mcap"
    path.write_bytes(data)
    reader = lq.read_trades(path)
    assert sum(len(one) for one in reader) == 300
    assert "not finished: it is being written, or its writer was killed" in reader.report.files[0].notes
    damaged = bytearray(data)
    damaged[ends[4] - 20] ^= 8
    path.write_bytes(damaged)
    reader = lq.read_trades(path)
    assert sum(len(one) for one in reader) == 270
    assert reader.report.files[0].warnings[0].startswith("6 frames lost between ")


def test_mcap_of_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "robot.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2")
        channel = writer.register_channel("/imu", "cdr", 0)
        writer.add_message(channel, 1, b"\0", 1)
        writer.finish()  # type: ignore[no-untyped-call]
    with pytest.raises(DataError, match=r"robot.mcap: expected a journal of liqcore, found MCAP of the profile 'ros2'"):
        lq.read_trades(path)
